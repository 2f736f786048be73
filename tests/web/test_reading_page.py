"""Reading in a real browser, over a real server, with real weights."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from real_browser import PATIENCE_S, PHONE, NewWindow, Window, expect
from sample_shelf import MODEL, PAGE_SIZE, PAGES

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_SHARP = (
    "[...document.querySelectorAll('.slot img:not(.before)')].every((each) => each.dataset.shown === 'sharp'"
    " && each.complete && each.naturalWidth > 0)"
)
_IMAGE = "document.querySelector('.slot img')"
_BOX = "(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector('.slot').getBoundingClientRect())"
_TURN_PAUSE_S = 0.12  # the least between two places that the server hears of
_NOTE_ALL_SHOWN = """() => {
    window.allShown = [];
    const note = (image) => window.allShown.push([+image.closest(".slot").dataset.page, image.dataset.shown]);
    new MutationObserver((changes) => {
        for (const { target, addedNodes } of changes) {
            if (target instanceof HTMLImageElement) note(target);
            for (const node of addedNodes) node.querySelectorAll?.(".slot img").forEach(note);
        }
    }).observe(document.querySelector(".room"), { subtree: true, childList: true, attributeFilter: ["data-shown"] });
}"""
_DECODE = """async (urls) => {
    await Promise.all(urls.map((url) => Object.assign(new Image(), { src: url }).decode()));
}"""


@pytest.fixture(autouse=True)
def book(served: Service) -> Iterator[str]:
    """The sample volume's id; nothing of it is known, and what is set is set back."""
    _until(lambda: _open_books(served) == [], "a window of an earlier test still reads")
    _set(served, enabled=True, model=MODEL, scale=2, noise=None, lookAhead={"forward": 3, "backward": 3})
    items = served.get("/v1/shelf/items", params={"root": "incoming"})["items"]
    identity: str = next(each["id"] for each in items if each["title"] == "Sample volume")
    httpx.put(f"{served.url}/v1/books/{identity}/progress", json={"page": 0}).raise_for_status()
    yield identity
    httpx.delete(f"{served.url}/v1/reader/books/{identity}")
    httpx.delete(f"{served.url}/v1/cache", params={"olderThanDays": 0})


def test_a_page_becomes_sharp_where_it_is(open_window: NewWindow, book: str) -> None:
    window = _reading(open_window(), book, 1, sharp=False)
    before = _box(window)
    window.until(_SHARP)
    assert window.evaluate(f"[{_IMAGE}.naturalWidth, {_IMAGE}.naturalHeight]") == [2 * PAGE_SIZE[0], 2 * PAGE_SIZE[1]]
    assert _box(window) == before
    badge = window.page.locator(".badge")
    expect(badge).to_have_attribute("data-state", "sharp")
    badge.click()
    details = window.page.get_by_role("region", name="About this page")
    expect(details).to_contain_text(MODEL)
    expect(details).to_contain_text("350 × 500 → 700 × 1000")
    window.look("reader-details", keep=True)


def test_the_pages_ahead_are_ready_before_they_are_turned_to(
    open_window: NewWindow, served: Service, book: str
) -> None:
    window = _reading(open_window(), book, 1)
    _ahead_is_here(window, served, book, 3)
    window.evaluate(_NOTE_ALL_SHOWN)
    for number in (2, 3, 4):
        window.page.keyboard.press("ArrowLeft")
        expect(window.page.locator(".room")).to_have_attribute("data-page", str(number - 1))
        window.until(_SHARP)
        expect(window.page.locator(".spinner")).to_have_count(0)
    assert window.evaluate("window.allShown") == [[1, "sharp"], [2, "sharp"], [3, "sharp"]]  # from their first moment
    window.look("reader-single")


def test_zoom_and_place_stay_when_the_sharp_page_arrives(open_window: NewWindow, served: Service, book: str) -> None:
    _set(served, enabled=False)
    window = _reading(open_window(), book, 2, sharp=False)
    window.page.keyboard.press("w")  # fit the width
    window.page.mouse.move(640, 300)
    for _ in range(3):
        window.page.keyboard.press("+")
    window.page.mouse.wheel(0, 700)
    window.until("document.querySelector('.slot').getBoundingClientRect().y < -300")
    before = window.at_rest(_BOX)
    assert before["width"] > 1280
    assert before["y"] < -300
    _set(served, enabled=True)
    window.until(_SHARP)
    assert _box(window) == before
    window.look("reader-zoomed")


def test_scrolling_stays_when_sharp_pages_arrive(open_window: NewWindow, served: Service, book: str) -> None:
    _set(served, enabled=False)
    window = _reading(open_window(), book, 1, sharp=False, mode="continuous")
    window.page.mouse.move(640, 400)
    window.page.mouse.wheel(0, 2600)
    window.until("document.querySelector('.scroller').scrollTop > 2500")
    place = "[document.querySelector('.scroller').scrollTop, document.querySelector('.scroller').scrollHeight]"
    before, page = window.at_rest(f"[{place}, document.querySelector('.room').dataset.page]")
    assert page != "0"
    assert window.page.locator(".slot").count() < PAGES  # only those near the screen exist
    _set(served, enabled=True)
    window.until(f"document.querySelector('.slot[data-page=\"{page}\"] img').dataset.shown === 'sharp'")
    assert window.evaluate(place) == before
    window.look("reader-continuous")


def test_off_shows_originals_empties_the_queue_and_stops_the_work(
    open_window: NewWindow, served: Service, book: str
) -> None:
    window = _reading(open_window(), book, 1)
    window.page.keyboard.press("End")
    window.page.keyboard.press("s")
    expect(window.page.locator(".slot img")).to_have_attribute("data-shown", "original")
    expect(window.page.get_by_role("switch", name="Enlarge pages")).to_have_attribute("aria-checked", "false")
    window.page.wait_for_function(f"{_IMAGE}.naturalWidth === {PAGE_SIZE[0]}")
    window.until_so(lambda: not served.get("/v1/reader")["enabled"] and _in_hand(served) == 0, "it goes on")
    window.page.keyboard.press("Home")
    expect(window.page.locator(".room")).to_have_attribute("data-page", "0")
    expect(window.page.locator(".slot img")).to_have_attribute("data-shown", "original")
    window.stays_so(lambda: _in_hand(served) == 0)
    window.look("reader-off")


def test_thirty_fast_turns_end_with_the_page_that_is_seen(open_window: NewWindow, served: Service, book: str) -> None:
    window = _reading(open_window(), book, 1, sharp=False)
    told: list[int] = []
    window.page.on("request", lambda asked: told.append(asked.post_data_json["page"]) if _is_place(asked.url) else None)
    began = time.monotonic()
    keys = ["ArrowLeft"] * 11 + ["ArrowRight"] * 8 + ["ArrowLeft"] * 7 + ["ArrowRight"] * 4
    for key in keys:
        window.page.keyboard.press(key)
    expect(window.page.locator(".room")).to_have_attribute("data-page", "6")
    window.until_so(lambda: told[-1:] == [6], told)
    took_s = time.monotonic() - began
    assert len(told) <= 2 + took_s / _TURN_PAUSE_S  # the server hears of the first and of the last, not of each
    window.until(_SHARP)
    states = {each["page"]: each for each in served.get(f"/v1/reader/books/{book}")["pages"]}
    assert states[6]["status"] == "completed"
    assert served.get("/v1/reader/stats")["failedCount"] == 0


def test_two_pages_lie_open_with_the_cover_alone(open_window: NewWindow, book: str) -> None:
    window = _reading(open_window(), book, 1, mode="double")
    assert window.page.locator(".slot").count() == 1
    window.page.keyboard.press("ArrowLeft")
    expect(window.page.locator(".slot")).to_have_count(2)
    right = window.evaluate("document.querySelector('.slot[data-page=\"1\"]').getBoundingClientRect().x")
    left = window.evaluate("document.querySelector('.slot[data-page=\"2\"]').getBoundingClientRect().x")
    assert left < right  # read from right to left
    window.page.keyboard.press("d")
    window.until("document.querySelector('.slot[data-page=\"1\"]').getBoundingClientRect().x < 640")
    window.page.keyboard.press("d")
    window.until(_SHARP)
    window.page.mouse.move(600, 400)
    window.page.mouse.move(640, 420)
    window.page.keyboard.press("t")
    window.page.wait_for_timeout(800)
    window.look("reader-double")


def test_before_and_after_side_by_side_and_held(open_window: NewWindow, book: str) -> None:
    window = _reading(open_window(), book, 3)
    window.page.keyboard.press("b")
    slider = window.page.get_by_role("slider", name="Before on the left, after on the right")
    slider.focus()
    window.page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "52")
    window.until(f"document.querySelector('.slot img.before').naturalWidth === {PAGE_SIZE[0]}")
    window.page.keyboard.press("0")
    for _ in range(3):
        window.page.keyboard.press("+")
    window.at_rest(_BOX)
    window.look("reader-compare")
    window.page.keyboard.press("b")
    window.page.keyboard.down("o")
    expect(window.page.locator(".slot img")).to_have_attribute("data-shown", "original")
    window.page.keyboard.up("o")
    expect(window.page.locator(".slot img")).to_have_attribute("data-shown", "sharp")


def test_the_book_opens_where_it_was_left(open_window: NewWindow, served: Service, book: str) -> None:
    window = _reading(open_window(), book, 1, sharp=False)
    for _ in range(4):
        window.page.keyboard.press("ArrowLeft")
    window.until("location.pathname.endsWith('/5')")
    window.go("/")  # saved even when one leaves at once
    window.until_so(lambda: served.get(f"/v1/books/{book}")["progress"]["page"] == 4)
    window.go(f"/read/{book}")
    expect(window.page.locator(".room")).to_have_attribute("data-page", "4")
    assert served.get(f"/v1/books/{book}")["progress"]["page"] == 4


def test_leaving_the_book_stops_its_work(open_window: NewWindow, served: Service, book: str) -> None:
    """Asked together and for a while: a place that the server hears late opens the book once more, if only briefly."""
    window = _reading(open_window(), book, 1, sharp=False)
    window.until_so(lambda: _open_books(served) == [book], "it never was open")
    window.page.keyboard.press("Escape")
    expect(window.page).to_have_url(re.compile(r"/ui/$"))

    def is_left() -> bool:
        return _open_books(served) == [] and _in_hand(served) == 0

    window.until_so(is_left, "the book is open, or a page of it in hand")
    window.stays_so(is_left)


def test_a_finger_turns_zooms_and_shows_the_bars(open_window: NewWindow, book: str) -> None:
    window = _reading(open_window(**PHONE, locale="zh-CN"), book, 1)
    touch, room = window.page.touchscreen, window.page.locator(".room")
    touch.tap(30, 400)  # the left side: onward, from right to left
    expect(room).to_have_attribute("data-page", "1")
    window.until(_SHARP)
    window.look("reader-phone")
    touch.tap(195, 400)
    expect(window.page.get_by_role("link", name="回到书架")).to_be_visible()
    window.page.get_by_role("button", name="显示方式").tap()
    expect(window.page.get_by_role("radiogroup", name="版式")).to_be_visible()
    window.settled()
    window.look("reader-phone-view")
    window.page.get_by_role("radio", name="连续").check(force=True)
    expect(room).to_have_attribute("data-mode", "continuous")
    expect(room).to_have_attribute("data-page", "1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_reader_is_accessible(open_window: NewWindow, book: str, scheme: str) -> None:
    window = _reading(open_window(color_scheme=scheme), book, 2)
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("t")
    window.page.get_by_role("button", name="View", exact=True).click()
    window.settled()
    assert window.axe() == []
    window.page.locator(".badge").click()
    expect(window.page.get_by_role("region", name="About this page")).to_be_visible()
    window.settled()
    assert window.axe() == []
    window.page.keyboard.press("Escape")
    window.page.keyboard.press("?")
    expect(window.page.get_by_role("dialog")).to_be_visible()
    window.settled()
    assert window.axe() == []
    window.look(f"reader-help-{scheme}")
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_be_hidden()
    window.page.keyboard.press("b")
    expect(window.page.get_by_role("slider", name="Before on the left, after on the right")).to_be_visible()
    window.settled()
    assert window.axe() == []


def test_a_page_that_fails_keeps_its_original_and_says_what_to_do(
    open_window: NewWindow, served: Service, book: str
) -> None:
    window = _reading(open_window(), book, 1)
    error = {"code": "bad_picture", "message": "006.jpg is broken.", "remedy": "Scan it again."}
    failed = {"bookId": book, "page": 5, "status": "failed", "share": 0, "url": None, "error": error}

    def answer(route: Any) -> None:
        told = route.fetch().json()
        route.fulfill(json={"pages": [{**each, **failed} if each["page"] == 5 else each for each in told["pages"]]})

    window.page.route("**/position*", answer)
    window.page.route_web_socket(re.compile("/v1/live"), lambda socket: None)
    window.page.reload()
    expect(window.page.locator(".slot img")).to_be_visible()
    for _ in range(5):
        window.page.keyboard.press("ArrowLeft")
    badge = window.page.locator(".badge")
    expect(badge).to_have_attribute("data-state", "bad")
    expect(window.page.locator(".slot img")).to_have_attribute("data-shown", "original")
    badge.click()
    expect(window.page.get_by_text("Scan it again.")).to_be_visible()
    window.look("reader-failed")


def _reading(window: Window, book: str, page: int, *, sharp: bool = True, mode: str = "single") -> Window:
    """The reader at a page (from 1), once its picture is there."""
    window.page.add_init_script(
        "localStorage.getItem('enlarger.preferences') ?? localStorage.setItem('enlarger.preferences',"
        f" JSON.stringify({{language: 'auto', theme: 'auto', reader: {{mode: '{mode}'}}}}))"
    )
    window.go(f"/read/{book}/{page}")
    window.until(f"{_IMAGE}?.naturalWidth > 0")
    if sharp:
        window.until(_SHARP)
    return window


def _box(window: Window) -> dict[str, float]:
    box: dict[str, float] = window.evaluate(_BOX)
    return box


def _set(served: Service, **changes: Any) -> None:
    httpx.patch(f"{served.url}/v1/reader", json=changes, timeout=PATIENCE_S).raise_for_status()


def _ahead_is_here(window: Window, served: Service, book: str, pages: int) -> None:
    """The pages after the first are finished, and the browser has them."""

    def urls() -> list[str]:
        states = served.get(f"/v1/reader/books/{book}")["pages"]
        return [each["url"] for each in states if each["status"] == "completed" and 0 < each["page"] <= pages]

    window.until_so(lambda: len(urls()) == pages, "they are not made")
    fetched = "performance.getEntriesByType('resource').some((each) => each.name.endsWith(url))"
    window.until(f"{json.dumps(urls())}.every((url) => {fetched})")
    window.page.evaluate(_DECODE, urls())


def _is_place(url: str) -> bool:
    return urlsplit(url).path.endswith("/position")


def _open_books(served: Service) -> list[str]:
    books: list[str] = served.get("/v1/reader")["openBooks"]
    return books


def _in_hand(served: Service) -> int:
    """Pages that wait or are made, and what the workers hold."""
    stats, workers = served.get("/v1/reader/stats"), served.get("/v1/devices")["workers"]
    return int(stats["pendingTasks"] + stats["processingTasks"] + sum(each["tasks"] for each in workers))


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)
