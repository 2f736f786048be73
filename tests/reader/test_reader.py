"""The whole road over real jobs and workers: what is turned to becomes sharp, and nothing is done for who is gone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import make_graph, page_file
from job_making import folder_of, until, volume
from reading_room import BOOK, ReadingRoom, reading_in, reading_room

from enlarger.enhance import RenderCache
from enlarger.errors import BadRuleError, BookError, InputError, RecipeError, UnknownBookError
from enlarger.jobs import JobState, Priority
from enlarger.pictures import decode
from enlarger.reader import (
    Match,
    PageStatus,
    Preload,
    PreloadPage,
    ReaderEvent,
    Request,
    Rule,
    RuleSet,
    Treatment,
    Wished,
)

UNFORESEEN_PX = 34  # see special_pages


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def shared_room(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    with reading_room(graph, tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture
def room(shared_room: ReadingRoom) -> Iterator[ReadingRoom]:
    """The module's reader with nothing open, nothing set and nothing told."""
    shared_room.until_quiet()
    shared_room.events.clear()
    yield shared_room
    for book_id in shared_room.reader.open_books():
        shared_room.reader.close(book_id)
    shared_room.reader.set(enabled=True, model="cunet", lossless=False, lookAhead={"forward": 3, "backward": 3})
    shared_room.reader.set_rules(RuleSet())


def compute(room: ReadingRoom, book: str, page: int) -> Path:
    """The finished render of the page."""
    room.reader.turn(book, page)
    file = room.reader.render(room.until_ready(page, book).key)
    assert file is not None
    return file


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
    assert room.told(1) == ["pending", "checking", "processing", "completed"]
    assert room.reader.stats().completed_count >= 5


def test_a_book_opened_again_is_there_at_once_from_the_cache(room: ReadingRoom) -> None:
    book = room.folder("again", 40)
    first = compute(room, book, 0)
    data, begun = first.read_bytes(), room.room.begun(40)
    room.reader.close(book)
    until(lambda: room.jobs() == [])
    assert not first.exists()
    assert room.reader.open(book) == []
    again = compute(room, book, 0)
    assert (again.read_bytes(), room.room.begun(40)) == (data, begun)


def test_what_was_read_can_be_had_after_leaving_as_long_as_the_cache_keeps_it(room: ReadingRoom) -> None:
    book = room.folder("left", 41)
    data = compute(room, book, 0).read_bytes()
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
    compute(room, room.book(archive, "zip"), 1)
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


# ---- the same page is the same promise: what was broken in the original ----


def test_a_changed_file_gives_a_new_render(room: ReadingRoom) -> None:
    book = room.folder("changed", 51)
    compute(room, book, 0)
    before = room.state(0, book)
    page_file(room.shelf.locate(book), "01.png", seed=7, width=51)
    after = compute(room, book, 0)
    assert room.state(0, book).key != before.key
    assert decode(after.read_bytes(), name="after").pixels.shape == (60, 102, 3)


def test_every_parameter_that_changes_a_pixel_gives_another_render(room: ReadingRoom) -> None:
    book = room.folder("parameters", 52)
    path = str(room.shelf.locate(book))
    keys = set()
    for wished in (
        Wished("cunet"),
        Wished("cunet", noise=1),
        Wished("cunet", scale=3.0),
        Wished("cunet", tile_size=48),
        Wished("realcugan-se"),
    ):
        room.reader.request(Request(path, 0, wished=wished))
        keys.add(room.until_ready(0, book).key)
    room.reader.set(lossless=True)
    keys.add(room.until_ready(0, book).key)
    assert len(keys) == 6


def test_the_noise_level_reaches_the_engine(room: ReadingRoom) -> None:
    book = room.folder("noise", 53)
    room.reader.set_rules(RuleSet(True, (Rule("a", "A", recipe=Treatment("cunet", 2.0, 2, 32)),)))
    compute(room, book, 0)
    (job,) = room.jobs()
    result = room.room.jobs.pages(job.id)[0].result
    assert result is not None
    assert [each["variant"] for each in result.facts["passes"]] == ["MODEL_WAIFU2X_CUNET_UP2X_DENOISE2X"]
    assert room.state(0, book).noise == 2


def test_transparency_is_kept(room: ReadingRoom) -> None:
    from PIL import Image

    folder = room.room.root / "alpha"
    folder.mkdir()
    Image.new("RGBA", (54, 30), (200, 30, 30, 90)).save(folder / "01.png")
    render = decode(compute(room, room.book(folder, "alpha"), 0).read_bytes(), name="render")
    assert render.alpha is not None
    assert render.alpha.shape == (60, 108)
    assert abs(int(render.alpha.mean()) - 90) <= 1


# ---- rules, requests, results ----


def test_rules_decide_and_say_why(room: ReadingRoom) -> None:
    book = room.folder("ruled", 55, 56, 57)
    wide = Rule("w", "Wide", priority=1, match=Match(min_width=57), skip=True)
    room.reader.set_rules(RuleSet(True, (Rule("n", "Narrow", match=Match(max_width=55)), wide)))
    room.reader.turn(book, 0)
    ready = room.until_ready(0, book)
    assert ready.rule is not None
    assert ready.rule.id == "n"
    for page, reason in ((1, "No condition matches (56x30)"), (2, "Condition 'Wide' asks to skip")):
        skipped = room.until_status(page, PageStatus.SKIPPED, book_id=book)
        assert skipped.reason is not None
        assert skipped.reason.text("en") == reason
        assert skipped.original_width == 55 + page
    verdict = room.reader.test(book_id=book, page=1, rules=RuleSet(False))
    assert verdict.recipe == room.reader.options.treatment
    assert [trace.matched for trace in room.reader.test(book_id=book, page=1).trace] == [False, False]
    with pytest.raises(UnknownBookError):
        room.reader.test(book_id=book, page=3)


def test_a_rule_that_cannot_be_used_is_refused_by_name_and_changes_nothing(room: ReadingRoom) -> None:
    before = room.reader.rules
    for rule in (Rule("a", "A", match=Match(page_exclude="(")), Rule("a", "A", recipe=Treatment("no such model"))):
        with pytest.raises(BadRuleError, match="A"):
            room.reader.set_rules(RuleSet(True, (Rule("b", "B"), rule)))
    assert room.reader.rules == before


def test_flat_conditions_go_in_and_out_and_a_bad_pattern_matches_nothing(room: ReadingRoom) -> None:
    book = room.folder("flat", 58)
    bad = {"id": "bad", "name": "Bad", "regexBookPath": "(", "modelName": "cunet"}
    room.reader.set_conditions({"upscaleConditionsEnabled": True, "upscaleConditions": [bad]})
    room.reader.turn(book, 0)
    room.until_status(0, PageStatus.SKIPPED, book_id=book)
    problem = room.reader.test(book_id=book, page=0).trace[0].problem
    assert problem is not None
    flat = room.reader.conditions()
    assert flat["upscaleConditions"][0]["regexBookPath"] == "("
    assert room.reader.set_conditions(flat) == room.reader.rules


def test_options_that_make_no_recipe_are_refused(room: ReadingRoom) -> None:
    before = room.reader.options
    with pytest.raises(RecipeError):
        room.reader.set(model="realesrgan-x4plus", noise=3)
    with pytest.raises(InputError):
        room.reader.set(quality=1000)
    assert room.reader.options == before


def test_pages_are_asked_for_by_paths(room: ReadingRoom) -> None:
    book = room.folder("asked", 59, 60, 61, 62)
    folder = room.shelf.locate(book)
    state = room.reader.request(Request("", 99, str(folder / "03.png"), "hash of it", "background"))
    assert (state.page, state.image_hash, state.is_preload) == (2, "hash of it", True)
    room.until_ready(2, book)
    around = [PreloadPage(0), PreloadPage(3, image_hash="h")]
    assert {state.page for state in room.reader.preload(Preload(str(folder), 2, around))} == {0, 3}
    assert room.until_ready(3, book).image_hash == "h"
    assert len(room.until_ready(0, book).image_hash) == 64  # the picture's own
    room.reader.cancel_book(book)
    assert room.state(3, book).status is PageStatus.COMPLETED


def test_cancelled_pages_are_not_made_and_the_queue_can_be_emptied(room: ReadingRoom) -> None:
    book = room.folder("cancelled", 160, 161, 162, 163)
    room.reader.turn(book, 0)
    until(lambda: room.room.begun(160))
    room.reader.cancel_page(book, 0)
    assert room.state(0, book).status is PageStatus.CANCELLED
    until(lambda: room.room.begun(161))
    room.reader.clear()
    room.until_quiet()
    assert {state.status for state in room.reader.states(book)} == {PageStatus.CANCELLED}
    assert [room.room.computed(width) for width in (160, 161)] == [0, 0]


def test_results_can_be_dropped_and_are_made_again_when_wanted(room: ReadingRoom) -> None:
    book = room.folder("dropped", 63)
    compute(room, book, 0)
    key = room.state(0, book).key
    assert room.reader.clear_results() >= 1
    assert room.state(0, book).status is PageStatus.ORIGINAL
    until(lambda: room.reader.render(key) is None)
    assert room.room.begun(63) == 1
    compute(room, book, 0)
    assert room.room.begun(63) == 2


def test_a_render_that_expired_while_its_book_was_open_is_made_again(room: ReadingRoom) -> None:
    book = room.folder("expired", 64)
    file = compute(room, book, 0)
    room.room.jobs.delete(room.jobs()[0].id)
    until(lambda: not file.exists())
    assert room.reader.render(room.state(0, book).key) is not None  # the cache has it
    settings = room.room.jobs.settings
    RenderCache(settings.renders_dir, settings.cache_max_bytes).clean()
    room.reader.turn(book, 0)
    until(lambda: room.room.begun(64) == 2)
    room.until_ready(0, book)


def test_two_books_with_one_page_compute_it_once(room: ReadingRoom) -> None:
    books = [room.folder(name, 65, seed=3) for name in ("one", "two")]
    for book in books:
        room.reader.turn(book, 0)
    keys = {room.until_ready(0, book).key for book in books}
    assert (len(keys), room.room.computed(65)) == (1, 1)
    room.reader.close(books[0])
    assert room.reader.render(keys.pop()) is not None


def test_a_listener_that_fails_hurts_nobody(room: ReadingRoom) -> None:
    def broken(_event: ReaderEvent) -> None:
        raise RuntimeError

    end = room.reader.subscribe(broken)
    room.reader.turn(room.folder("heard", 66), 0)
    room.until_ready(0, "heard")
    end()
    assert "completed" in room.told(0)


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
        with reading_in(first.room) as second:
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
