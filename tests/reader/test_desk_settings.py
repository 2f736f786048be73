"""The desk when something is set: off and on, another model, other rules; what does not change is not made again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk_driving import DeskWork

from enlarger.jobs import Priority
from enlarger.reader import Lane, LookAhead, Match, Rule, RuleSet, Treatment


@pytest.fixture
def work() -> DeskWork:
    work = DeskWork()
    work.open()
    return work


# ---- off and on ----


def test_switched_off_everything_is_original_and_nothing_waits(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5)
    work.told()
    work.desk.set_options(replace(work.desk.options, enabled=False))
    work.work()
    assert set(work.statuses().values()) == {"original"}
    assert {status for _, status in work.told()} == {"original"}
    assert (work.in_hand(), work.desk.stats().pending_tasks, work.desk.stats().is_enabled) == ([], 0, False)
    assert {state.status.value for state in work.turn(8)} == {"original"}
    assert work.desk.want("book", 8, Lane.CURRENT).status.value == "original"
    assert work.in_hand() == []


def test_on_again_the_shown_pages_are_taken_up(work: DeskWork) -> None:
    work.turn(5)
    work.turn(3, book_id=work.open(9, "other"))
    off = replace(work.desk.options, enabled=False)
    work.desk.set_options(off)
    work.turn(7)
    before = len(work.submitted)
    work.desk.set_options(replace(off, enabled=True))
    work.work()
    new = [(job.source.path.name, job.only[0]) for job in work.submitted[before:] if job.priority is Priority.READING]
    assert new == [("book", "007.png"), ("other", "003.png")]


# ---- other settings ----


def test_another_model_makes_what_is_near_anew(work: DeskWork) -> None:
    work.turn(5)
    work.finish_all()
    work.turn(12)
    work.finish_all()
    work.desk.set_options(replace(work.desk.options, model="waifu2x-upconv7-photo"))
    work.work()
    assert work.job(12).recipe.model == "waifu2x-upconv7-photo"
    assert work.state(5).status.value == "original"  # made again when it is turned to
    assert work.state(12).key == ""


def test_other_look_ahead_leaves_finished_pages_alone(work: DeskWork) -> None:
    work.turn(5)
    work.finish_all()
    made = len(work.submitted)
    work.desk.set_options(replace(work.desk.options, look_ahead=LookAhead(5, 0)))
    work.work().finish_all()
    assert [job.only[0] for job in work.submitted[made:]] == ["009.png", "010.png"]
    assert work.state(2).status.value == "completed"


def test_other_rules_change_only_the_pages_they_change(work: DeskWork) -> None:
    work.turn(5)
    work.finish_all()
    keys = {page: work.state(page).key for page in range(2, 9)}
    only_007 = Rule("a", "A", match=Match(page_include="007"), skip=True)
    work.desk.set_rules(RuleSet(True, (only_007, Rule("b", "B", priority=9))))
    work.work()
    assert work.state(7).status.value == "skipped"
    rule = work.state(7).rule
    assert rule is not None
    assert (rule.id, rule.name) == ("a", "A")
    assert {page: work.state(page).key for page in range(2, 9) if page != 7} == {
        page: key for page, key in keys.items() if page != 7
    }
    work.desk.set_rules(RuleSet(True, (Rule("c", "C", match=Match(min_width=9000)),)))
    work.work()
    assert work.state(5).reason is not None
    assert work.state(5).reason.text("en") == "No condition matches (100x150)"
    work.desk.set_rules(RuleSet(False))
    work.work().finish_all()
    assert {work.state(page).status.value for page in range(2, 9)} == {"completed"}
    assert work.desk.stats().skipped_count == 8


def test_a_rule_that_cannot_be_followed_fails_its_pages(work: DeskWork) -> None:
    work.desk.set_rules(RuleSet(True, (Rule("a", "A", recipe=Treatment("no-such-model")),)))
    work.turn(5)
    error = work.state(5).error
    assert work.state(5).status.value == "failed"
    assert error is not None
    assert error.code == "unknown_model"
