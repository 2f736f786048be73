"""A machine that cannot keep up says so once, and names the model that can."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk_driving import DeskWork

from enlarger.enhance import make_recipe
from enlarger.models import load_catalog
from enlarger.reader import ReaderChanged
from enlarger.reader.hint import Hint, Pace, cost, faster_model

CATALOG = load_catalog()
CUNET = make_recipe(CATALOG)


def told(
    recipe: object = CUNET, *, look_s: float = 4.0, page_s: float = 8.0, pages: int = 6, workers: int = 1
) -> list[Hint]:
    pace, hints = Pace(CATALOG, workers), list[Hint]()
    for number in range(pages):
        pace.turned(number * look_s, 1)
        hint = pace.finished(CUNET, 1.5, page_s)
        hints += [hint] if hint else []
    return hints


def test_too_slow_a_machine_is_told_once_with_a_model_that_keeps_up() -> None:
    (hint,) = told(pages=30)
    assert hint.model == faster_model(CATALOG, CUNET, most=0.5)
    assert hint.model != ""
    text = hint.message.text("en")
    assert "8.0 s" in text
    assert "4.0 s" in text
    assert hint.model in text


def test_who_keeps_up_is_told_nothing() -> None:
    assert told(page_s=3.9, pages=30) == []
    assert told(page_s=8.0, workers=2, pages=30) == []
    assert told(pages=5) == []  # too few turns to know
    assert told(look_s=0.2, pages=30) == []  # looking for a page is not reading
    assert told(look_s=100.0, page_s=200.0, pages=30) == []  # went away


def test_where_no_model_would_do_none_is_named() -> None:
    (hint,) = told(page_s=4000.0)
    assert hint.model == ""
    assert "no model" in hint.message.text("en")


def test_both_pages_of_a_spread_need_their_time() -> None:
    pace = Pace(CATALOG)
    hints = []
    for number in range(8):
        pace.turned(number * 4.0, 2)
        hints.append(pace.finished(CUNET, 1.5, 3.0))
    assert sum(hint is not None for hint in hints) == 1


def test_models_are_ranked_by_what_their_networks_cost() -> None:
    cards = {card.name: card for card in CATALOG.cards}
    assert cost(cards["realesrgan-x4plus"], 2.0, None) > cost(cards["realcugan-se"], 2.0, None)
    assert cost(cards["waifu2x-cunet"], 4.0, None) == pytest.approx(5 * cost(cards["waifu2x-cunet"], 2.0, None))
    photo = make_recipe(CATALOG, model="realesrgan-x4plus", scale=4)
    assert faster_model(CATALOG, photo, most=0.5) == "waifu2x-upconv7-photo"  # never one for drawings
    assert faster_model(CATALOG, photo, most=0.0) == ""
    with_noise = make_recipe(CATALOG, noise=2)
    assert faster_model(CATALOG, with_noise, most=0.5) == "waifu2x-upconv7-anime"  # the others have no such level


def test_the_reader_shows_the_hint_until_something_else_is_set() -> None:
    work = DeskWork()
    work.open(40)
    for page in range(10):
        work.now = page * 4.0
        work.turn(page)
        if work.desk.knows(work.job(page).id):
            work.finish(page, seconds=9.0)
    assert work.desk.hint is not None
    events = []
    while (event := work.desk.next_event()) is not None:
        events.append(event)
    assert sum(isinstance(event, ReaderChanged) for event in events) == 2  # opened, and this
    work.desk.set_options(replace(work.desk.options, model=work.desk.hint.model))
    assert work.desk.hint is None
