"""What is in hand: one task computes a key, and whoever waits for it is let go when that task ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fake_workers import recipe
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from enlarger.jobs import Claim, Counts, Job, JobSource, JobState, Page, PageState, Priority, Submission
from enlarger.jobs.in_hand import InHand

_SUBMISSION = Submission(JobSource("folder", Path("x")), recipe())


def claim(page_id: int, job_id: str = "a", priority: Priority = Priority.VOLUME) -> Claim:
    job = Job(job_id, replace(_SUBMISSION, priority=priority), JobState.RUNNING, Counts(), 0.0, 0.0)
    return Claim(Page(page_id, job_id, 0, "01.png", {}, PageState.RUNNING), job)


def test_the_second_with_a_key_is_called_back() -> None:
    hand = InHand()
    first, second = hand.add("one", claim(1, "a")), hand.add("two", claim(2, "b"))
    assert hand.hold(first, "key") is None
    assert hand.hold(second, "key") is second
    assert second.awaits == "key"
    assert hand.is_awaited(first)
    assert hand.take(second.number) is second
    assert hand.is_awaited(first)  # its page waits in the ledger now
    assert hand.held_keys == {"key"}
    hand.take(first.number)
    assert hand.held_keys == set()


def test_the_one_wanted_sooner_computes_unless_the_other_has_begun() -> None:
    hand = InHand()
    slow, urgent = hand.add("one", claim(1)), hand.add("one", claim(2, "b", Priority.READING))
    hand.hold(slow, "key")
    assert hand.hold(urgent, "key") is slow
    hand.take(slow.number)
    assert hand.is_awaited(urgent)
    slow, late = hand.add("one", claim(1)), hand.add("one", claim(3, "c", Priority.READING))
    hand.hold(slow, "other")
    slow.computing = True
    assert hand.hold(late, "other") is late


def test_a_job_waits_for_nothing_once_it_is_cancelled() -> None:
    hand = InHand()
    first, second = hand.add("one", claim(1, "a")), hand.add("two", claim(2, "b"))
    hand.hold(first, "key")
    hand.hold(second, "key")
    hand.forget_waiting("b")
    assert not hand.is_awaited(first)


def test_a_job_s_own_page_is_no_reason_to_go_on() -> None:
    hand = InHand()
    first, twin = hand.add("one", claim(1)), hand.add("two", claim(2))
    hand.hold(first, "key")
    hand.hold(twin, "key")
    assert not hand.is_awaited(first)


# ---- who goes first ----


def test_who_waits_lends_its_priority_until_it_waits_no_more() -> None:
    hand = InHand()
    holder, idler = hand.add("one", claim(1)), hand.add("one", claim(9))
    hand.hold(holder, "key")
    holder.computing = True
    assert hand.lend() == []
    reader = hand.add("two", claim(2, "b", Priority.READING))
    hand.hold(reader, "key")
    assert hand.lend() == [holder]
    assert (holder.priority, idler.priority) == (Priority.READING, Priority.VOLUME)
    hand.take(reader.number)
    hand.hold(hand.add("two", claim(3, "c", Priority.INTERACTIVE)), "key")
    assert hand.lend() == []  # the reader's page waits in the ledger now
    hand.forget_waiting("b")
    assert hand.lend() == [holder]
    assert holder.priority is Priority.INTERACTIVE


def test_a_job_s_new_priority_is_that_of_its_pages_and_lent_by_those_that_wait() -> None:
    hand = InHand()
    holder, waiting = hand.add("one", claim(1)), hand.add("two", claim(2, "b"))
    hand.hold(holder, "key")
    hand.take(hand.hold(waiting, "key").number)  # type: ignore[union-attr]
    hand.prioritise("b", Priority.READING)
    assert hand.lend() == [holder]
    hand.prioritise("a", Priority.AHEAD)
    assert hand.lend() == []
    hand.prioritise("b", Priority.INDEXING)
    assert hand.lend() == [holder]
    assert holder.priority is Priority.AHEAD


def test_who_never_waited_longer_lends_nothing() -> None:
    """The less urgent of two gives way before it has begun, and changes nothing for the other."""
    hand = InHand()
    slow, urgent = hand.add("one", claim(1)), hand.add("two", claim(2, "b", Priority.READING))
    hand.hold(slow, "key")
    assert hand.hold(urgent, "key") is slow
    assert hand.lend() == []


@limits(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "hold", "begin", "take"]), st.integers(0, 5), st.sampled_from(["k1", "k2", "k3"])
        ),
        max_size=40,
    )
)
def test_no_key_is_held_by_nobody(steps: list[tuple[str, int, str]]) -> None:
    hand = InHand()
    for n, (what, which, key) in enumerate(steps):
        tasks = list(hand)
        task = tasks[which % len(tasks)] if tasks else None
        if what == "add" or task is None:
            hand.add("one", claim(n, f"job {which}", list(Priority)[which % 5]))
        elif what == "take":
            hand.take(task.number)
        elif what == "begin":
            task.computing = bool(task.key) and not task.awaits
        elif not task.key:
            called_back = hand.hold(task, key)
            assert called_back is None or called_back.awaits == key
        makers = {task.key for task in hand if task.key and not task.awaits}
        assert hand.held_keys == makers
        assert len([task for task in hand if task.key and not task.awaits]) == len(makers)
