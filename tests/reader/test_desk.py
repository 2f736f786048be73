"""The desk alone: what is wanted, what is called off, and that a late answer meets nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from desk_driving import DeskWork, failure, finished, pages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.errors import UnknownBookError
from enlarger.jobs import Priority
from enlarger.reader import Lane, LookAhead, Rule, RuleSet, Treatment, as_json
from enlarger.reader.orders import Prioritise, Release
from enlarger.reader.readings import MOST_OPEN


@pytest.fixture
def work() -> DeskWork:
    work = DeskWork()
    work.open()
    return work


# ---- turning ----


def test_the_shown_page_goes_in_first_and_only_a_few_at_once(work: DeskWork) -> None:
    assert [state.page for state in work.turn(5)] == [5, 6, 7, 8, 4, 3, 2]
    assert work.in_hand() == [5, 6]
    assert [job.priority for job in work.submitted] == [Priority.READING, Priority.AHEAD]
    work.finish(5)
    work.finish(6)
    assert work.in_hand() == [7, 8]
    work.finish_all()
    assert [job.only[0] for job in work.submitted] == [f"{n:03}.png" for n in (5, 6, 7, 8, 4, 3, 2)]
    assert set(work.statuses().values()) == {"completed"}


def test_a_job_is_one_page_and_leaves_nothing_behind(work: DeskWork) -> None:
    work.turn(5)
    job = work.job(5)
    assert (job.only, job.transient, job.packs, job.owner) == (("005.png",), True, False, "reader")
    assert (job.source.kind, job.source.path.name, job.recipe.format) == ("archive", "book", "webp")


def test_a_turn_reorders_and_calls_off_what_fell_out_of_range(work: DeskWork) -> None:
    work.turn(5)
    work.turn(15)
    assert [order.job_id for order in work.others] == [work.job(5).id, work.job(6).id]
    assert all(isinstance(order, Release) for order in work.others)
    assert work.in_hand() == [15, 16]
    statuses = work.statuses()
    assert {page: status for page, status in statuses.items() if page < 10} == dict.fromkeys(range(2, 9), "cancelled")
    assert work.desk.stats().pending_tasks == 5


def test_a_page_ahead_that_is_turned_to_is_raised_not_made_again(work: DeskWork) -> None:
    work.turn(5)
    work.turn(6)
    assert work.others == [Prioritise(work.job(6).id, Priority.READING), Prioritise(work.job(5).id, Priority.AHEAD)]
    assert work.in_hand() == [5, 6]
    assert not work.state(6).is_preload
    assert work.state(5).is_preload


def test_going_back_the_pages_before_are_the_ones_ahead(work: DeskWork) -> None:
    work.desk.set_options(replace(work.desk.options, look_ahead=LookAhead(3, 1)))
    assert [state.page for state in work.turn(10)] == [10, 11, 12, 13, 9]
    assert [state.page for state in work.turn(9)] == [9, 8, 7, 6, 10]
    assert [state.page for state in work.turn(9)] == [9, 8, 7, 6, 10]  # shown again: the way is the same
    assert [state.page for state in work.turn(12)] == [12, 13, 14, 15, 11]


def test_both_pages_of_a_spread_are_read(work: DeskWork) -> None:
    assert [state.page for state in work.turn(4, 5)] == [4, 5, 6, 7, 8, 3, 2, 1]
    assert [job.priority for job in work.submitted] == [Priority.READING, Priority.READING]


def test_the_book_turned_last_goes_first(work: DeskWork) -> None:
    def newest() -> tuple[str, str]:
        return work.submitted[-1].source.path.name, work.submitted[-1].only[0]

    other = work.open(20, "other")
    work.turn(5)
    work.turn(5, book_id=other)
    assert (work.desk.open_books(), newest()) == ([other, "book"], ("other", "005.png"))
    mine = [job for job in work.submitted if job.source.path.name == "book"]
    for number, job in enumerate(mine):
        work.desk.finished(job.id, finished(str(number)))
    assert newest() == ("other", "005.png")
    work.work()
    assert newest() == ("other", "006.png")  # the other book's page ahead is nearer to be read
    work.turn(6)
    work.desk.finished(work.submitted[-1].id, finished())
    work.work()
    assert newest()[0] == "book"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 39), min_size=1, max_size=40))
def test_whatever_is_turned_only_what_is_near_the_last_page_is_in_hand(turns: list[int]) -> None:
    work = DeskWork()
    work.open(40)
    for page in turns:
        work.turn(page)
        assert page in work.in_hand() or work.state(page).status.value == "completed"
        assert all(abs(other - page) <= 3 for other in work.in_hand())
        if page % 3 == 0 and page in work.in_hand():
            work.finish(page)
    work.finish_all()
    near = {page for page in range(40) if abs(page - turns[-1]) <= 3}
    assert {page for page in near if work.statuses()[page] != "completed"} == set()


def test_a_page_the_book_does_not_have_is_refused(work: DeskWork) -> None:
    for turn in ((20,), (-1,), (0, 20)):
        with pytest.raises(UnknownBookError):
            work.turn(*turn)
    with pytest.raises(UnknownBookError):
        work.turn(0, book_id="nobody")


# ---- late answers ----


def test_a_look_that_was_called_off_meanwhile_hands_nothing_in(work: DeskWork) -> None:
    work.desk.turn("book", 5)
    look = work.look()
    work.desk.turn("book", 15)
    work.judge(look)
    work.desk.failed(look, failure())
    work.desk.put_back(look)
    assert work.submitted == []
    assert work.state(5).status.value == "cancelled"


def test_a_job_that_ends_after_it_was_called_off_changes_nothing(work: DeskWork) -> None:
    work.turn(5)
    old = work.job(5)
    work.turn(15)
    work.desk.progressed(old.id, 0.5)
    work.desk.ended(old.id, failure())
    assert not work.desk.knows(old.id)
    assert work.state(5).status.value == "cancelled"
    assert work.desk.file_of("5" * 64) is None


def test_what_the_ledger_has_no_room_for_waits_again(work: DeskWork) -> None:
    work.desk.turn("book", 5)
    look = work.look()
    work.judge(look)
    work.desk.put_back(look)
    assert work.state(5).status.value == "pending"
    assert not work.desk.knows(work.submitted[0].id)
    assert work.look().page == 5


# ---- how pages end ----


def test_a_finished_page_says_all_that_is_known(work: DeskWork) -> None:
    work.turn(5)
    work.desk.progressed(work.job(5).id, 0.5)
    assert work.state(5).share == 0.5
    work.finish(5)
    state = work.state(5)
    assert (state.original_width, state.original_height, state.width, state.height) == (100, 150, 200, 300)
    assert (state.model, state.scale, state.noise, state.seconds) == ("waifu2x-cunet", 2.0, None, 0.5)
    assert (state.url, state.image_hash, state.share) == ("/v1/renders/" + "5" * 64, "sha", 1.0)
    assert work.desk.file_of("5" * 64) == state.file


def test_a_failed_page_is_not_tried_again_until_it_is_asked_for(work: DeskWork) -> None:
    work.turn(5)
    work.desk.ended(work.job(5).id, failure())
    work.work()
    assert (work.state(5).status.value, work.state(5).error, work.state(5).url) == ("failed", failure(), None)
    before = len(work.submitted)
    work.turn(6)
    work.turn(5)
    assert all(job.only != ("005.png",) for job in work.submitted[before:])
    work.desk.want("book", 5, Lane.CURRENT)
    work.work()
    assert work.state(5).status.value == "processing"
    assert work.desk.stats().failed_count == 1


def test_a_paused_job_says_why_until_it_goes_on(work: DeskWork) -> None:
    work.turn(5)
    work.desk.waits(work.job(5).id, failure())
    assert (work.state(5).status.value, work.state(5).error) == ("processing", failure())
    work.desk.waits(work.job(5).id, None)
    assert work.state(5).error is None


def test_two_pages_with_one_render_keep_it_until_both_are_left(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5, key="a" * 64)
    work.finish(6, key="a" * 64)
    work.desk.want("book", 5, Lane.CURRENT, asked=Treatment("waifu2x-upconv7-photo"))
    assert work.desk.file_of("a" * 64) is not None
    work.leave_for_good()
    assert work.desk.file_of("a" * 64) is None


# ---- leaving, cancelling, off ----


def test_leaving_calls_everything_off_and_gives_finished_pages_up(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5)
    work.leave_for_good()
    assert {order.job_id for order in work.others if isinstance(order, Release)} == {job.id for job in work.submitted}
    assert (work.desk.open_books(), work.desk.states("book"), work.in_hand()) == ([], [], [])
    assert work.desk.stats().pending_tasks == 0
    work.desk.leave("book")  # nothing more to do


def test_too_many_books_leave_the_one_not_turned_for_longest(work: DeskWork) -> None:
    work.turn(5)
    for number in range(MOST_OPEN):
        work.turn(0, book_id=work.open(3, f"b{number}"))
    assert len(work.desk.open_books()) == MOST_OPEN
    assert "book" not in work.desk.open_books()


def test_pages_books_and_everything_can_be_cancelled(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5)
    work.desk.cancel("book", [6, 8])
    assert {page for page, status in work.statuses().items() if status == "cancelled"} == {6, 8}
    work.desk.cancel_everything()
    work.work()
    assert set(work.statuses().values()) == {"completed", "cancelled"}
    assert work.in_hand() == []
    work.turn(6)
    assert work.state(6).status.value == "processing"
    work.desk.cancel("nobody")


def test_a_failed_page_that_is_cancelled_by_name_is_tried_again_by_the_next_turn(work: DeskWork) -> None:
    work.turn(5)
    for page in (5, 6):
        work.desk.ended(work.job(page).id, failure())
    work.work()
    work.desk.cancel("book")
    assert (work.state(5).status.value, work.state(6).status.value) == ("failed", "failed")
    work.desk.cancel("book", [5])
    assert (work.state(5).status.value, work.state(5).error) == ("original", None)
    work.turn(5)
    assert (work.state(5).status.value, work.state(6).status.value) == ("processing", "failed")


# ---- requests ----


def test_a_request_that_names_a_model_goes_past_rules_and_stays(work: DeskWork) -> None:
    work.desk.set_rules(RuleSet(True, (Rule("a", "A", skip=True),)))
    work.turn(5)
    assert work.state(5).status.value == "skipped"
    work.desk.want("book", 5, Lane.CURRENT, asked=Treatment("waifu2x-upconv7-photo", noise=1), image_hash="abc")
    work.work()
    assert (work.job(5).recipe.model, work.job(5).recipe.noise) == ("waifu2x-upconv7-photo", 1)
    assert work.state(5).image_hash == "abc"
    work.turn(5)
    assert work.state(5).status.value == "processing"
    work.desk.want("book", 5, Lane.CURRENT)
    work.work()
    assert work.state(5).status.value == "skipped"


def test_the_background_waits_for_itself_and_survives_turns(work: DeskWork) -> None:
    for page in (15, 16, 17):
        work.desk.want("book", page, Lane.BACKGROUND)
    work.work()
    assert [job.priority for job in work.submitted] == [Priority.INTERACTIVE] * 2
    work.turn(5)
    assert work.in_hand() == [15, 16, 5, 6]
    work.turn(14)
    assert work.in_hand()[:2] == [15, 16]
    assert work.state(17).status.value == "pending"
    assert Prioritise(work.job(15).id, Priority.AHEAD) in work.others
    work.turn(5)
    assert Prioritise(work.job(15).id, Priority.INTERACTIVE) in work.others
    work.finish_all()
    assert work.statuses()[17] == "completed"


def test_wanting_again_is_counted_and_not_done_twice(work: DeskWork) -> None:
    work.turn(5)
    before = work.desk.stats()
    assert (before.dedupe_request_count, before.dedupe_hit_count) == (7, 0)
    for page in (5, 6, 8):
        work.desk.want("book", page, Lane.CURRENT)
    work.work()
    after = work.desk.stats()
    assert (after.dedupe_request_count, after.dedupe_hit_count, after.dedupe_hit_rate) == (10, 3, 0.3)
    assert sorted(work.in_hand()) == [5, 6, 8]


def test_who_asks_for_what_is_there_already_is_told_of_it(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5)
    work.told()
    assert work.desk.want("book", 5, Lane.CURRENT).status.value == "completed"
    assert work.told() == [(5, "completed")]


# ---- what is told ----


def test_every_change_is_told_once_and_progress_only_as_far_as_it_came(work: DeskWork) -> None:
    work.turn(5)
    assert [status for page, status in work.told() if page == 5] == ["pending", "checking", "processing"]
    for share in (0.1, 0.2, 0.3):
        work.desk.progressed(work.job(5).id, share)
    work.desk.progressed(work.job(6).id, 0.5)
    work.desk.progressed(work.job(5).id, 0.4)
    assert work.told() == [(5, "processing"), (6, "processing"), (5, "processing")]
    work.finish(5)
    assert (5, "completed") in work.told()


def test_waits_are_measured_with_the_clock_that_is_given(work: DeskWork) -> None:
    work.desk.turn("book", 5)
    work.now = 2.0
    work.work()
    stats = work.desk.stats()
    assert (stats.queue_wait_sample_count, stats.queue_wait_avg_ms, stats.queue_wait_max_ms) == (2, 2000, 2000)


def test_the_counts_have_the_names_readers_know(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5, bytes=1234)
    told: dict[str, Any] = as_json(work.desk.stats())
    assert set(told) == {
        "memoryCacheCount",
        "memoryCacheBytes",
        "pendingTasks",
        "processingTasks",
        "completedCount",
        "skippedCount",
        "failedCount",
        "queueWaitSampleCount",
        "queueWaitAvgMs",
        "queueWaitMaxMs",
        "dedupeRequestCount",
        "dedupeHitCount",
        "dedupeHitRate",
        "regexCacheHitCount",
        "regexCacheMissCount",
        "regexCacheHitRate",
        "isEnabled",
    }
    assert (told["memoryCacheCount"], told["memoryCacheBytes"], told["completedCount"]) == (1, 1234, 1)


def test_a_book_opened_anew_keeps_what_is_known_unless_its_pages_are_others(work: DeskWork) -> None:
    work.turn(5)
    work.finish(5)
    assert len(work.desk.admit("book", work.state(5).book_path, pages(20), is_folder=False)) == 7
    work.desk.admit("book", work.state(5).book_path, pages(19), is_folder=False)
    assert set(work.statuses().values()) == {"pending"}


def test_ten_pages_ahead_are_references(work: DeskWork) -> None:
    work.desk.set_options(replace(work.desk.options, look_ahead=LookAhead(10, 10)))
    work.turn(10)
    assert len(work.in_hand()) == 2
    assert work.desk.stats().pending_tasks == 18
