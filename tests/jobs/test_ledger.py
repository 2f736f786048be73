"""What is accepted, listed, tried again, found and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from ledger_making import (
    ARTIFACT,
    BROKEN,
    NO_LIMIT,
    add_job,
    job_in,
    new_ledger,
    new_pages,
    result,
    submission,
    types,
    work,
)

from enlarger.errors import IdempotencyError, IllegalMoveError, QueueFullError
from enlarger.jobs import Counts, Failure, JobSource, JobState, NewPage, PageState, Priority, Submission
from enlarger.jobs.ledger import Ledger
from enlarger.messages import msg


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = new_ledger(tmp_path)
    yield ledger
    ledger.close()


# ---- accepting ----


def test_what_was_submitted_comes_back(ledger: Ledger) -> None:
    wanted = submission(
        title="棋魂", volume="第 1 卷", priority=Priority.AHEAD, device="cpu", packs=False, transient=True, owner="me",
        idempotency_key="k", params={"scale": 2, "名": [None, True]}, only=("b/1.png", "名.png"),
    )  # fmt: skip
    job, created = ledger.submit(wanted, most_waiting=1)
    assert created
    assert str(UUID(job.id, version=4)) == job.id
    assert ledger.get(job.id) == job
    stored = job.submission
    assert stored == Submission(**{**vars(wanted), "id": job.id})
    assert (job.state, job.counts, job.listed, job.last_event) == (JobState.QUEUED, Counts(), False, 1)
    event = ledger.events(job.id)[0]
    standing = {"state": "queued", "total": 0, "done": 0, "failed": 0, "cancelled": 0}
    assert (event.number, event.type, event.data, event.at) == (1, "submitted", standing, job.created_at)


def test_an_id_that_was_given_is_kept_and_used_once(ledger: Ledger) -> None:
    job, _ = ledger.submit(submission(id="mine"), most_waiting=NO_LIMIT)
    assert job.id == "mine"
    with pytest.raises(IdempotencyError):
        ledger.submit(submission(id="mine"), most_waiting=NO_LIMIT)


def test_too_much_waiting_is_refused_until_something_ended(ledger: Ledger) -> None:
    first, second = add_job(ledger), add_job(ledger)
    ledger.pause(first)
    with pytest.raises(QueueFullError) as refusal:
        ledger.submit(submission(), most_waiting=2)
    assert "2" in refusal.value.text("en")
    ledger.cancel(second)
    assert ledger.submit(submission(), most_waiting=2)[1]


def test_the_same_request_with_the_same_key_is_the_same_job(ledger: Ledger) -> None:
    wanted = submission(owner="me", idempotency_key="k", title="A", params={"a": 1, "b": 2})
    first, _ = ledger.submit(wanted, most_waiting=1)
    work(ledger)
    again = submission(owner="me", idempotency_key="k", title="A", params={"b": 2, "a": 1})
    assert ledger.submit(again, most_waiting=1) == (first, False), "though the queue is full by now"
    ledger.cancel(first.id)
    assert ledger.submit(again, most_waiting=1)[0].state is JobState.CANCELLED
    with pytest.raises(IdempotencyError):
        ledger.submit(submission(owner="me", idempotency_key="k", title="B"), most_waiting=9)
    with pytest.raises(IdempotencyError):
        ledger.submit(replace(again, only=("a.png",)), most_waiting=9)
    assert ledger.submit(submission(owner="you", idempotency_key="k", title="B"), most_waiting=9)[1]
    assert ledger.submit(submission(owner="me", title="A"), most_waiting=9)[1], "without a key each is new"


def test_pages_that_are_known_come_with_the_job(ledger: Ledger) -> None:
    wanted = submission(owner="me", idempotency_key="k", only=("a", "b"))
    job, created = ledger.submit(wanted, most_waiting=1, pages=new_pages("a", "b"))
    assert (created, job.listed, job.counts.total, ledger.unlisted()) == (True, True, 2, [])
    assert types(ledger, job.id) == ["submitted", "listed"]
    assert ledger.submit(wanted, most_waiting=1, pages=new_pages("a", "b")) == (job, False)
    assert work(ledger) == ["a", "b"]


def test_an_upload_that_is_repeated_lies_in_another_folder(ledger: Ledger) -> None:
    def upload(job_id: str, name: str = "book.cbz") -> Submission:
        source = JobSource("archive", Path(f"/storage/staging/{job_id}/{name}"))
        return submission(id=job_id, idempotency_key="k", source=source)

    first, _ = ledger.submit(upload("one"), most_waiting=9)
    assert ledger.submit(upload("two"), most_waiting=9) == (first, False)
    with pytest.raises(IdempotencyError):
        ledger.submit(upload("three", "other.cbz"), most_waiting=9)


def test_listeners_hear_of_each_commit_that_wrote_an_event(ledger: Ledger) -> None:
    heard: list[tuple[str, int]] = []
    ledger.on_commit.append(lambda job_id: heard.append((job_id, ledger.get(job_id).last_event)))
    job = add_job(ledger, "a")
    claim = ledger.claim(worker="w", idle=True)
    assert claim is not None
    ledger.give_back(claim)
    with pytest.raises(QueueFullError):
        ledger.submit(submission(), most_waiting=0)
    assert heard == [(job, 1), (job, 2), (job, 3)]


# ---- listing ----


def test_pages_are_stored_in_order_with_those_that_failed_already(ledger: Ledger) -> None:
    job = add_job(ledger)
    assert [job.id for job in ledger.unlisted()] == [job]
    stored = ledger.add_pages(job, [*new_pages("b", "a"), NewPage("c", {}, BROKEN)])
    assert (stored.listed, stored.counts) == (True, Counts(total=3, failed=1))
    assert ledger.unlisted() == []
    pages = ledger.pages(job)
    assert [page.position for page in pages] == [0, 1, 2]
    assert [(page.name, page.state) for page in pages] == [("b", "queued"), ("a", "queued"), ("c", "failed")]
    assert (pages[0].targets, pages[2].failure) == ({".png": "b.png", ".jpg": "b.jpg"}, BROKEN)
    assert types(ledger, job) == ["submitted", "listed"]
    assert ledger.page(job, 1) == pages[1]
    assert ledger.pages(job, states=[PageState.FAILED]) == pages[2:]
    assert ledger.pages(job, after=0, limit=1) == pages[1:2]


def test_a_source_is_listed_once_and_not_for_a_job_that_went_on(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    assert ledger.add_pages(job, new_pages("x")).counts.total == 1
    ledger.cancel(job)
    again = ledger.retry(job, JobSource("folder", Path("/other")))
    assert ledger.add_pages(job, new_pages("x"), retries=0) == again, "the list of the source before"
    assert ledger.add_pages(job, new_pages("x", "y"), retries=1).counts.total == 2


def test_without_pages_a_job_waits_to_be_failed(ledger: Ledger) -> None:
    job = add_job(ledger)
    assert not ledger.add_pages(job, []).listed
    assert [job.id for job in ledger.unlisted()] == [job], "so that a server that dies here lists again"
    assert ledger.fail_job(job, BROKEN).reason == BROKEN


def test_a_job_whose_pages_all_failed_when_listed_fails(ledger: Ledger) -> None:
    job = add_job(ledger)
    ended = ledger.add_pages(job, [NewPage("a", {}, BROKEN), NewPage("b", {}, BROKEN)])
    assert ended.state is JobState.FAILED
    assert ended.reason is not None
    assert "a.png: broken." in ended.reason.text("en")
    assert types(ledger, job) == ["submitted", "listed", "failed"]


def test_the_most_urgent_source_is_listed_first(ledger: Ledger) -> None:
    jobs = [add_job(ledger, priority=p) for p in (Priority.VOLUME, Priority.READING, Priority.VOLUME)]
    paused = add_job(ledger)
    ledger.pause(paused)
    assert [job.id for job in ledger.unlisted()] == [jobs[1], jobs[0], jobs[2]]


# ---- ending ----


@pytest.mark.parametrize(
    ("packs", "fails", "states"),
    [
        (True, (), ["packing", "done"]),
        (True, ("a",), ["packing", "partial"]),
        (True, ("a", "b"), ["failed"]),
        (False, (), ["done"]),
        (False, ("b",), ["partial"]),
        (False, ("a", "b"), ["failed"]),
    ],
)
def test_a_job_ends_as_its_pages_did(ledger: Ledger, packs: bool, fails: tuple[str, ...], states: list[str]) -> None:
    job = add_job(ledger, "a", "b", packs=packs)
    work(ledger, fails=fails)
    assert [job.id for job in ledger.packable()] == ([job] if "packing" in states else [])
    ended = ledger.packed(job, ARTIFACT)
    assert types(ledger, job)[-len(states) :] == states
    assert ended.state == states[-1]
    assert ended.finished_at is not None
    assert ended.artifact == (ARTIFACT if "packing" in states else None)
    assert ledger.packable() == []


def test_the_last_event_tells_of_the_artifact(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    work(ledger)
    ledger.packed(job, ARTIFACT)
    told = ledger.events(job)[-1].as_dict()
    assert (told["job"], told["type"], told["number"]) == (job, "done", 6)
    assert told["artifact"] == {"path": ARTIFACT.path, "sha256": ARTIFACT.sha256, "bytes": ARTIFACT.bytes}


def test_an_artifact_of_the_try_before_is_not_taken(ledger: Ledger) -> None:
    job = job_in(ledger, JobState.PACKING)
    ledger.cancel(job.id)
    again = ledger.retry(job.id)
    assert again.state is JobState.PACKING
    assert ledger.packed(job.id, ARTIFACT, retries=job.retries) == again
    assert ledger.packed(job.id, ARTIFACT, retries=again.retries).state is JobState.DONE


def test_reasons_are_told_in_any_language_and_go_when_the_job_goes_on(ledger: Ledger) -> None:
    full = Failure("disk_full", msg("{path}: the disk is full.", path="/x"), msg("Make room."))
    job, other = add_job(ledger, "a"), add_job(ledger, "b")
    assert ledger.pause(job, full).reason == full
    ledger.pause(other)
    assert [job.id for job in ledger.paused_for("disk_full")] == [job]
    assert Failure.from_json(ledger.events(job)[-1].data["error"]) == full
    assert ledger.resume(job).reason is None
    assert ledger.paused_for("disk_full") == []


def test_what_a_person_paused_stays_so_when_there_is_room(ledger: Ledger) -> None:
    full = Failure("disk_full", msg("The disk is full."))
    job = add_job(ledger, "a")
    ledger.pause(job, full)
    with pytest.raises(IllegalMoveError):
        ledger.pause(job, full)
    found = ledger.paused_for("disk_full")
    paused = ledger.pause(job)
    assert (paused.state, paused.reason) == (JobState.PAUSED, None)
    assert types(ledger, job)[-2:] == ["paused", "paused"]
    for waiting in found:  # by who had looked before
        with pytest.raises(IllegalMoveError):
            ledger.resume(waiting.id, paused_for="disk_full")
    with pytest.raises(IllegalMoveError):
        ledger.pause(job)
    assert ledger.get(job).state is JobState.PAUSED
    assert ledger.resume(job).state is JobState.QUEUED


def test_a_paused_job_ends_what_is_in_hand_and_goes_on_where_it_was(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    claim = ledger.claim(worker="w", idle=True)
    assert claim is not None
    ledger.pause(job)
    assert ledger.finish(claim, result("a"))
    assert ledger.get(job).state is JobState.PAUSED
    assert ledger.resume(job).state is JobState.PACKING
    ledger.pause(job)
    assert ledger.packable() == []
    assert ledger.resume(job).state is JobState.PACKING


# ---- trying again ----


def test_only_what_failed_or_was_cancelled_is_tried_again(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", "c", packs=False)
    work(ledger, 2, fails=("b",))
    ledger.cancel(job)
    assert ledger.get(job).counts == Counts(total=3, done=1, failed=1, cancelled=1)
    again = ledger.retry(job)
    assert (again.state, again.counts, again.retries) == (JobState.QUEUED, Counts(total=3, done=1), 1)
    assert (again.finished_at, again.listed) == (None, True)
    assert work(ledger) == ["b", "c"]
    assert ledger.get(job).state is JobState.DONE


def test_a_page_that_is_tried_again_has_a_clean_record(ledger: Ledger) -> None:
    job = add_job(ledger, "a")
    for _ in range(2):
        claim = ledger.claim(worker="w", idle=True)
        assert claim is not None
        ledger.give_back(claim, crashed=True)
    assert ledger.get(job).state is JobState.FAILED
    ledger.retry(job)
    page = ledger.page(job, 0)
    assert (page.state, page.crashes, page.alone, page.failure) == (PageState.QUEUED, 0, False, None)
    assert page.attempt == 2, "late workers of the first try stay shut out"


def test_where_only_packing_failed_it_is_packed_again(ledger: Ledger) -> None:
    job = job_in(ledger, JobState.PACKING)
    ledger.fail_job(job.id, BROKEN)
    again = ledger.retry(job.id)
    assert (again.state, again.reason) == (JobState.PACKING, None)
    assert types(ledger, job.id)[-3:] == ["failed", "retried", "packing"]


def test_a_lost_artifact_is_forgotten_and_packed_again(ledger: Ledger) -> None:
    job = job_in(ledger, JobState.PACKING)
    assert ledger.packed(job.id, ARTIFACT).artifact == ARTIFACT
    assert ledger.retry(job.id).artifact is None


def test_lost_pages_are_made_again(ledger: Ledger) -> None:
    job = job_in(ledger, JobState.DONE)
    again = ledger.retry(job.id, lost=["b"])
    assert again.counts == Counts(total=3, done=2)
    assert ledger.page(job.id, 1).result is None
    assert work(ledger) == ["b"]


def test_from_another_source_what_is_done_and_still_there_stays(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", "c", packs=False)
    work(ledger, fails=("b",))
    done = ledger.page(job, 2)
    again = ledger.retry(job, JobSource("archive", Path("/books/mended.cbz")))
    assert (again.submission.source.kind, again.listed) == ("archive", False)
    assert ledger.claim(worker="w", idle=True) is None, "before it is known what there is"
    listed = ledger.add_pages(job, new_pages("z", "c", "b"))
    assert listed.counts == Counts(total=3, done=1)
    assert [(page.name, page.state) for page in ledger.pages(job)] == [("z", "queued"), ("c", "done"), ("b", "queued")]
    assert ledger.page(job, 1).result == done.result
    assert work(ledger) == ["z", "b"]
    assert ledger.get(job).state is JobState.DONE


def test_a_done_page_that_would_be_called_otherwise_is_made_anew(ledger: Ledger) -> None:
    job = add_job(ledger, "a", "b", packs=False)
    work(ledger)
    ledger.retry(job, JobSource("folder", Path("/other")))
    kept = NewPage("a", {".png": "a.png"})
    assert ledger.add_pages(job, [kept, NewPage("b", {".png": "b.png.png2"})]).counts == Counts(total=2, done=1)
    assert work(ledger) == ["b"]


def test_what_could_not_be_read_is_listed_again(ledger: Ledger) -> None:
    job = add_job(ledger)
    ledger.add_pages(job, [*new_pages("a"), NewPage("b", {}, BROKEN)])
    work(ledger)
    ledger.packed(job, ARTIFACT)
    assert not ledger.retry(job).listed
