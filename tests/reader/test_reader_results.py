"""What pages get and how it is had: keys, noise, transparency, rules, requests by path, results dropped and expired."""

from __future__ import annotations

import pytest
from fake_workers import page_file
from job_making import until
from reading_room import ReadingRoom

from enlarger.enhance import RenderCache
from enlarger.errors import BadRuleError, InputError, RecipeError, UnknownBookError
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

# ---- the same page is the same promise: what was broken in the original ----


def test_a_changed_file_gives_a_new_render(room: ReadingRoom) -> None:
    book = room.folder("changed", 51)
    room.computed(0, book)
    before = room.state(0, book)
    page_file(room.shelf.locate(book), "01.png", seed=7, width=51)
    after = room.computed(0, book)
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
    room.computed(0, book)
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
    render = decode(room.computed(0, room.book(folder, "alpha")).read_bytes(), name="render")
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
    room.computed(0, book)
    key = room.state(0, book).key
    assert room.reader.clear_results() >= 1
    assert room.state(0, book).status is PageStatus.ORIGINAL
    until(lambda: room.reader.render(key) is None)
    assert room.room.begun(63) == 1
    room.computed(0, book)
    assert room.room.begun(63) == 2


def test_a_render_that_expired_while_its_book_was_open_is_made_again(room: ReadingRoom) -> None:
    book = room.folder("expired", 64)
    file = room.computed(0, book)
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
    room.until_told(0, "completed", book_id="heard")
    end()
