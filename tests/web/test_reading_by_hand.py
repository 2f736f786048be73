"""Fingers, wheel and keys alone, in every layout, on a phone and on a desk; looked at in both languages and themes."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from real_browser import DESKTOP, PHONE, NewWindow, Window, expect

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_CONTENT = "document.querySelector('.content')"
_MIDDLE = (195, 420)
_STEP_S = 0.01  # between two events of a finger


@pytest.fixture
def book(served: Service) -> str:
    """The sample volume's id, opened at its beginning."""
    items = served.get("/v1/shelf/items", params={"root": "incoming"})["items"]
    identity: str = next(each["id"] for each in items if each["title"] == "Sample volume")
    httpx.put(f"{served.url}/v1/books/{identity}/progress", json={"page": 0}).raise_for_status()
    return identity


def reading(window: Window, book: str, page: int, *, mode: str = "single", direction: str = "rtl") -> Window:
    """The reader at a page (from 1), once its picture is there."""
    habits = f"{{mode: '{mode}', direction: '{direction}'}}"
    window.page.add_init_script(
        "localStorage.setItem('enlarger.preferences', JSON.stringify("
        f"{{language: 'auto', theme: 'auto', reader: {habits}}}))"
    )
    window.go(f"/read/{book}/{page}")
    window.until("document.querySelector('.slot img')?.naturalWidth > 0")
    return window


def page_of(window: Window) -> str | None:
    return window.page.locator(".room").get_attribute("data-page")


def width_of_content(window: Window) -> float:
    return float(window.evaluate(f"{_CONTENT}.getBoundingClientRect().width"))


class Hand:
    """Two fingers of Chromium's own touch input, as quick as a hand however slow the machine is."""

    def __init__(self, window: Window) -> None:
        self._devtools = window.page.context.new_cdp_session(window.page)
        self._at_s = 0.0

    def __call__(self, kind: str, *fingers: tuple[float, float]) -> None:
        self._at_s = time.time() if kind == "touchStart" else self._at_s + _STEP_S
        points: list[dict[str, Any]] = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(fingers)]
        event = {"type": kind, "touchPoints": points, "timestamp": self._at_s}
        self._devtools.send("Input.dispatchTouchEvent", event)

    def pinch(self, apart: int, to: int) -> None:
        """Around the middle, side by side."""
        x, y = _MIDDLE
        self("touchStart", (x - apart / 2, y), (x + apart / 2, y))
        for step in range(1, 11):
            now = apart + (to - apart) * step / 10
            self("touchMove", (x - now / 2, y), (x + now / 2, y))
        self("touchEnd")

    def swipe(self, dx: int) -> None:
        x, y = _MIDDLE
        self("touchStart", (x, y))
        for step in range(1, 6):
            self("touchMove", (x + dx * step / 5, y))
        self("touchEnd")


def test_two_fingers_zoom_and_one_moves_the_page(open_window: NewWindow, book: str) -> None:
    window = reading(open_window(**PHONE), book, 2)
    hand, before = Hand(window), width_of_content(window)
    hand.pinch(80, 240)
    window.until(f"{_CONTENT}.getBoundingClientRect().width > {before * 2.5}")
    assert 2.5 < window.at_rest(f"{_CONTENT}.getBoundingClientRect().width") / before < 3.5
    x = window.evaluate(f"{_CONTENT}.getBoundingClientRect().x")
    hand.swipe(-150)
    window.until(f"{_CONTENT}.getBoundingClientRect().x < {x - 100}")
    window.stays_so(lambda: page_of(window) == "1")  # enlarged, a stroke moves; it does not turn
    hand.pinch(240, 40)
    window.until(f"{_CONTENT}.getBoundingClientRect().width < {before * 1.5}")


@pytest.mark.parametrize(("direction", "onward"), [("rtl", 150), ("ltr", -150)])
def test_a_stroke_turns_the_way_the_book_is_read(
    open_window: NewWindow, book: str, direction: str, onward: int
) -> None:
    window = reading(open_window(**PHONE), book, 2, direction=direction)
    hand, room = Hand(window), window.page.locator(".room")
    hand.swipe(onward)
    expect(room).to_have_attribute("data-page", "2")
    hand.swipe(-onward)
    expect(room).to_have_attribute("data-page", "1")


def test_the_wheel_zooms_with_control_and_turns_at_the_edge(open_window: NewWindow, book: str) -> None:
    window = reading(open_window(), book, 2)
    mouse, room, before = window.page.mouse, window.page.locator(".room"), width_of_content(window)
    mouse.move(640, 400)
    window.page.keyboard.down("Control")
    mouse.wheel(0, -300)
    window.page.keyboard.up("Control")
    window.until(f"{_CONTENT}.getBoundingClientRect().width > {before * 1.5}")
    expect(room).to_have_attribute("data-page", "1")
    window.page.keyboard.press("0")
    window.until(f"Math.abs({_CONTENT}.getBoundingClientRect().width - {before}) < 2")
    mouse.wheel(0, 120)
    expect(room).to_have_attribute("data-page", "2")


def test_a_book_is_read_by_keys_alone(open_window: NewWindow, book: str) -> None:
    window = open_window()
    window.go("/")
    expect(window.page.locator("a", has_text="Sample volume").first).to_be_visible()
    for _ in range(40):
        window.page.keyboard.press("Tab")
        if window.evaluate("document.activeElement?.textContent?.includes('Sample volume') ?? false"):
            break
    window.page.keyboard.press("Enter")
    room, keys = window.page.locator(".room"), window.page.keyboard
    expect(room).to_have_attribute("data-page", "0")
    for key, page in (("Space", 1), ("PageDown", 2), ("Shift+Space", 1), ("End", 11), ("Home", 0), ("ArrowLeft", 1)):
        keys.press(key)
        expect(room).to_have_attribute("data-page", str(page))
    for mode in ("double", "continuous", "single"):
        keys.press("m")
        expect(room).to_have_attribute("data-mode", mode)
    keys.press("?")
    expect(window.page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(window.page.get_by_role("dialog")).to_be_hidden()
    keys.press("Escape")
    expect(room).to_have_count(0)


@pytest.mark.parametrize("mode", ["single", "double", "continuous"])
@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en-GB", "light")])
def test_every_layout_fits_a_phone(open_window: NewWindow, book: str, mode: str, locale: str, scheme: str) -> None:
    window = reading(open_window(**PHONE, locale=locale, color_scheme=scheme), book, 2, mode=mode)
    expect(window.page.locator(".room")).to_have_attribute("data-mode", mode)
    shown = window.evaluate("[...document.querySelectorAll('.slot')].map((each) => each.getBoundingClientRect().right)")
    assert max(shown) <= PHONE["viewport"]["width"] + 1
    if mode == "double":
        left, right = window.evaluate(
            "[...document.querySelectorAll('.slot')].map((each) => each.getBoundingClientRect().left)"
        )
        assert left > right  # read from the right: the earlier page lies there
    window.look(f"{mode}-{locale}-{scheme}")
    assert window.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]


@pytest.mark.parametrize("path", ["", "rules", "jobs", "models", "settings"])
@pytest.mark.parametrize(("locale", "scheme", "size"), [("zh-CN", "dark", "phone"), ("en-GB", "light", "desk")])
def test_every_page_is_looked_at(open_window: NewWindow, path: str, locale: str, scheme: str, size: str) -> None:
    window = open_window(**(PHONE if size == "phone" else {}), locale=locale, color_scheme=scheme)
    window.go(f"/{path}")
    window.page.locator("h1").first.wait_for(state="attached")
    window.page.wait_for_load_state("networkidle")
    window.settled()
    wide = (PHONE if size == "phone" else DESKTOP)["viewport"]["width"]
    assert window.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [
        wide,
        wide,
    ]  # no zooming out to fit
    window.look(f"{path or 'shelf'}-{locale}-{scheme}-{size}")
