"""The whole road over real jobs and workers: what is turned to becomes sharp, and nothing is done for who is gone."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fake_workers import page_file
from job_making import folder_of, running_room, until, volume
from reading_room import BOOK, ReadingRoom, reading_in, reading_room

from enlarger.errors import BadRuleError, BookError, UnknownBookError
from enlarger.jobs import JobState, Priority
from enlarger.reader import (
    Match,
    PageFacts,
    PageStatus,
    ReaderStore,
    Request,
    Rule,
    RuleSet,
)
from enlarger.reader.json_forms import as_json

UNFORESEEN_PX = 34  # see special_pages


# ---- reading ----


def test_a_turned_page_becomes_sharp_and_those_around_it(room: ReadingRoom) -> None:
    book = room.folder("book", 30, 35, 36, 37, 38, 39)
    states = room.reader.turn(book, 1)
    assert [state.page for state in states] == [1, 2, 3, 4, 0]
    ready = room.until_ready(1)
    assert (ready.original_width, ready.width, ready.height) == (35, 70, 60)
    file = room.reader.render(ready.key)
    assert file == ready.file
    assert file is not None
    assert file.suffix == ".webp"
    for page in (0, 2, 3, 4):
        assert room.until_ready(page).is_preload
    assert room.state(5).status is PageStatus.ORIGINAL
    room.until_told(1, "completed")
    assert room.told(1) == ["pending", "checking", "processing", "completed"]
    assert room.reader.stats().completed_count >= 5


def test_a_book_opened_again_is_there_at_once_from_the_cache(room: ReadingRoom) -> None:
    book = room.folder("again", 40)
    first = room.computed(0, book)
    data, begun = first.read_bytes(), room.room.begun(40)
    room.reader.close(book)
    until(lambda: room.jobs() == [])
    assert not first.exists()
    assert room.reader.open(book) == []
    again = room.computed(0, book)
    assert (again.read_bytes(), room.room.begun(40)) == (data, begun)


def test_what_was_read_can_be_had_after_leaving_as_long_as_the_cache_keeps_it(room: ReadingRoom) -> None:
    book = room.folder("left", 41)
    data = room.computed(0, book).read_bytes()
    key = room.state(0, book).key
    room.reader.close(book)
    until(lambda: room.jobs() == [])
    file = room.reader.render(key)
    assert file is not None
    assert file.read_bytes() == data
    assert room.reader.render("0" * 64) is None
    assert room.reader.render("../" + key) is None


def test_an_archive_is_read_as_a_folder_is(room: ReadingRoom, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "pages", 42, 43)
    archive = room.room.root / "volume.cbz"
    with zipfile.ZipFile(archive, "w") as writer:
        for file in sorted(folder.iterdir()):
            writer.write(file, f"inner/{file.name}")
    room.computed(1, room.book(archive, "zip"))
    assert room.state(1, "zip").book_path == archive


# ---- nothing stale ----


def test_of_thirty_fast_turns_only_the_last_is_computed(room: ReadingRoom) -> None:
    """Pages from 90 px wait in every tile until their gate opens, so that none can be done by chance."""
    widths = range(100, 134)
    book = room.folder("turned", *widths)
    for page in range(30):
        room.reader.turn(book, page)
        if page == 3:
            until(lambda: room.room.begun(100) + room.room.begun(103), "nothing ever began")
    until(lambda: room.room.begun(129))  # what was called off before was stopped before
    for width in widths:
        room.room.open(width)
    assert room.until_ready(29, book).status is PageStatus.COMPLETED
    for page in (30, 31, 32, 28, 27, 26):
        room.until_ready(page, book)
    room.until_quiet()
    computed = [int(line) for line in (room.room.gates / "computed").read_text().split()]
    mine = [width - 100 for width in computed if width in widths]
    assert mine[0] == 29  # the page that is finally shown
    assert sorted(mine) == [26, 27, 28, 29, 30, 31, 32]
    stale = [state.status.value for state in room.reader.states(book) if state.page < 26]
    assert stale == ["cancelled"] * 26


def test_leaving_a_book_stops_its_work_within_a_tile(room: ReadingRoom) -> None:
    book = room.folder("left-at-work", 140, 141, 142)
    room.reader.turn(book, 0)
    until(lambda: room.room.begun(140))
    room.reader.close(book)
    room.until_quiet()
    until(lambda: all(not worker.tasks for worker in room.room.jobs.states()))
    assert room.room.computed(140) == 0
    until(lambda: room.jobs() == [])


def test_switched_off_everything_stops_and_shows_originals(room: ReadingRoom) -> None:
    book = room.folder("off", 44, 145, 146)
    room.until_ready(room.reader.turn(book, 0)[0].page, book)
    until(lambda: room.room.begun(145))
    room.reader.set(enabled=False)
    room.until_quiet()
    until(lambda: all(not worker.tasks for worker in room.room.jobs.states()))
    assert {state.status for state in room.reader.states(book)} == {PageStatus.ORIGINAL}
    assert room.reader.turn(book, 1)[0].status is PageStatus.ORIGINAL
    until(lambda: room.jobs() == [])
    room.room.open(145)
    room.room.open(146)
    room.reader.set(enabled=True)
    room.until_ready(1, book)
    assert room.reader.stats().is_enabled


def test_a_page_that_is_turned_to_while_it_is_made_ahead_is_served_as_read(room: ReadingRoom) -> None:
    book = room.folder("raised", 45, 150)
    room.reader.turn(book, 0)
    room.until_ready(0, book)
    until(lambda: room.room.begun(150))
    (job,) = room.unfinished()
    assert job.submission.priority is Priority.AHEAD
    room.reader.turn(book, 1)
    until(lambda: room.room.jobs.get(job.id).submission.priority is Priority.READING)
    room.room.open(150)
    assert room.until_ready(1, book).is_preload is False
    assert room.room.begun(150) == 1


# ---- what goes wrong ----


def test_a_broken_page_keeps_its_original_and_hurts_no_other(room: ReadingRoom) -> None:
    book = room.folder("broken", 46, 47)
    (room.shelf.locate(book) / "00.png").write_bytes(b"no picture at all")
    room.reader.turn(book, 0)
    failed = room.until_status(0, PageStatus.FAILED, book_id=book)
    assert failed.error is not None
    assert (failed.error.code, failed.url) == ("bad_picture", None)
    room.until_ready(1, book)
    room.reader.turn(book, 1)
    room.reader.turn(book, 0)
    assert room.state(0, book).status is PageStatus.FAILED
    page_file(room.shelf.locate(book), "00.png", width=48)
    room.reader.turn(book, 0)  # a broken page has no stamp; asking is what makes it tried again
    room.reader.request(Request(str(room.shelf.locate(book)), 0))
    assert room.until_status(0, PageStatus.COMPLETED, book_id=book).original_width == 48


def test_a_failed_page_that_is_cancelled_is_tried_again_by_the_next_turn(room: ReadingRoom) -> None:
    book = room.folder("retried", 46)
    (room.shelf.locate(book) / "00.png").write_bytes(b"no picture at all")
    room.reader.turn(book, 0)
    room.until_status(0, PageStatus.FAILED, book_id=book)
    page_file(room.shelf.locate(book), "00.png", width=48)
    room.reader.cancel_page(book, 0)
    room.reader.turn(book, 0)
    assert room.until_ready(0, book).original_width == 48


def test_a_page_that_fails_in_the_worker_says_why(room: ReadingRoom) -> None:
    book = room.folder("unforeseen", UNFORESEEN_PX, 49)
    room.reader.turn(book, 0)
    failed = room.until_status(0, PageStatus.FAILED, book_id=book)
    assert failed.error is not None
    assert failed.error.code == "internal"
    room.until_ready(1, book)


def test_books_that_are_not_there_or_no_books_are_refused(room: ReadingRoom, tmp_path: Path) -> None:
    with pytest.raises(UnknownBookError):
        room.reader.turn("nobody", 0)
    with pytest.raises(UnknownBookError):
        room.reader.request(Request("/nowhere", 0))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BookError):
        room.reader.open(room.book(tmp_path / "empty", "empty"))
    with pytest.raises(UnknownBookError):
        room.reader.turn(room.folder("short", 50), 1)


def test_somebody_who_stops_a_pages_job_is_obeyed(room: ReadingRoom) -> None:
    book = room.folder("stopped", 155)
    room.reader.turn(book, 0)
    until(lambda: room.room.begun(155))
    room.room.jobs.cancel(room.unfinished()[0].id)
    room.until_status(0, PageStatus.CANCELLED, book_id=book)
    until(lambda: room.jobs() == [])


# ---- from start to end ----


def test_what_an_earlier_server_left_is_stopped_and_deleted(graph: Path, tmp_path: Path) -> None:
    with reading_room(graph, tmp_path) as first:
        jobs = first.room.jobs
        left = [
            jobs.submit(volume(folder_of(tmp_path / name, width), transient=True, packs=False, owner=owner))[0].id
            for name, width, owner in (("a", 30, "reader"), ("b", 35, "hook"), ("c", 170, "reader"))
        ]
        until(lambda: first.room.begun(170))
        jobs.wait(left[1], 30.0)
        first.reader.set(model="realcugan-se", lookAhead={"forward": 7})
        first.reader.set_rules(RuleSet(True, (Rule("a", "A", match=Match(min_width=1)),)))
        first.reader.stop()
        with reading_in(first.room, graph) as second:
            assert [job.id for job in second.room.jobs.find(transient=True)[0]] == [left[1]]
            assert (second.reader.options.model, second.reader.options.look_ahead.forward) == ("realcugan-se", 7)
            assert second.reader.rules.rules[0].match.min_width == 1
        assert jobs.get(left[1]).state is JobState.DONE


def test_stopping_leaves_no_job_of_the_readers(graph: Path, tmp_path: Path) -> None:
    with reading_room(graph, tmp_path, max_waiting_jobs=2) as room:
        book = room.folder(BOOK, 30, 35, 36, 37)
        for page in range(4):  # the ledger has room for two: the others wait
            room.reader.turn(book, page)
        for page in range(4):
            room.until_ready(page)
        room.reader.turn(room.folder("gated", 180), 0, ())
        until(lambda: room.room.begun(180))
        room.reader.stop()
        assert room.jobs() == []


def test_rules_that_could_not_be_read_again_are_refused(room: ReadingRoom) -> None:
    before = room.reader.set_rules(RuleSet(True, (Rule("a", "A"),)))
    with pytest.raises(BadRuleError, match=r"rules\.0\.name"):
        room.reader.set_rules(RuleSet(True, (Rule("a", "A" * 501),)))
    assert room.reader.rules == before


def test_stored_rules_that_are_not_understood_are_kept(
    graph: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_room(graph, tmp_path) as room:
        store = ReaderStore.of(room.jobs.settings)
        newer = {"enabled": True, "rules": [], "newer": 1}
        store.put_document("reader.rules", newer)
        with reading_in(room, graph) as reading:
            assert reading.reader.rules == RuleSet()
            reading.reader.set_rules(RuleSet(True))
        assert (store.document("reader.rules.unreadable"), store.document("reader.rules") == newer) == (newer, False)
        assert "reader.rules.unreadable" in caplog.text
        store.close()


def test_a_stored_pattern_that_is_too_heavy_by_now_costs_only_its_own_rule(graph: Path, tmp_path: Path) -> None:
    rules = RuleSet(
        True,
        (
            Rule("heavy", "Heavy", match=Match(page_include="(.?){999}b")),
            Rule("long", "Long", match=Match(page_include="x?" * 4999)),
            Rule("fine", "Fine", skip=True),
        ),
    )
    with running_room(graph, tmp_path) as room:
        store = ReaderStore.of(room.jobs.settings)
        store.put_document("reader.rules", as_json(rules))
        with reading_in(room, graph) as reading:
            assert reading.reader.rules == rules
            verdict = reading.reader.test(facts=PageFacts(10, 10, page_path="/b.png"))
            assert "too long" in str(verdict.trace[0].problem)
            assert [trace.matched for trace in verdict.trace][::2] == [False, True]
        store.close()
