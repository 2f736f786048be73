"""Models and settings in the browser: licences, fetching, what is truly in use, and everything that is set."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from real_browser import PHONE, NewWindow, expect
from sample_shelf import MODEL

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it is so; a minute at most."""
    for _ in range(300):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError("it never came to be so")


def reader(served: Service) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"{served.url}/v1/reader").json()
    return found


def workers(served: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{served.url}/v1/devices").json()["workers"]
    return found


def test_cards_tell_licence_size_and_what_is_here(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    models = httpx.get(f"{served.url}/v1/models").json()["models"]
    window.go("/models")
    cards = window.page.get_by_role("article")
    expect(cards).to_have_count(len(models))
    for model in models:
        shown = cards.filter(has=window.page.get_by_role("heading", name=model["title"]["en"], exact=True))
        expect(shown).to_contain_text(model["licence"])
        expect(shown).to_contain_text(model["credit"])
    window.page.get_by_text("Photographs", exact=True).first.click()
    expect(cards).to_have_count(sum(model["purpose"] != "art" for model in models))
    window.settled()
    assert window.axe() == []


def test_what_is_truly_in_use_is_told(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    window.go("/models")
    devices = window.page.get_by_label("Device in use")
    expect(devices).to_contain_text("Worker 1")
    httpx.post(f"{served.url}/v1/jobs", json={"path": "Sample volume.cbz", "model": MODEL}).raise_for_status()
    eventually(lambda: any(worker["models"] for worker in workers(served)))
    opened = next(worker["models"][0] for worker in workers(served) if worker["models"])
    expect(devices).to_contain_text(opened["model"], timeout=20_000)
    expect(devices).to_contain_text(opened["device"])
    window.settled()
    window.look("models")


def test_a_model_is_chosen_for_reading(served: Service, open_window: NewWindow) -> None:
    httpx.patch(f"{served.url}/v1/reader", json={"model": "realcugan-pro", "scale": 3}).raise_for_status()
    title = httpx.get(f"{served.url}/v1/models/{MODEL}").json()["title"]["en"]
    window = open_window()
    window.go("/models")
    chosen = window.page.get_by_role("article").filter(has=window.page.get_by_role("heading", name=title, exact=True))
    chosen.get_by_role("button", name="Use for reading").click()
    expect(chosen.get_by_text("For reading", exact=True)).to_be_visible()
    assert (reader(served)["model"], reader(served)["scale"]) == (MODEL, 2)


def test_settings_are_stored_at_once_and_seen_by_every_window(served: Service, open_window: NewWindow) -> None:
    window, other = open_window(), open_window()
    for each in (window, other):
        each.go("/settings")
        expect(each.page.get_by_role("switch", name="Enlarge pages while reading")).to_be_visible()
    was = bool(reader(served)["enabled"])
    window.page.get_by_role("switch", name="Enlarge pages while reading").click()
    expect(other.page.get_by_role("switch", name="Enlarge pages while reading")).to_have_attribute(
        "aria-checked", str(not was).lower()
    )
    window.page.get_by_role("slider", name="Pages made ready in reading direction").fill("7")
    window.page.get_by_role("switch", name="Without loss").click()
    eventually(lambda: reader(served)["lookAhead"] == {"forward": 7, "backward": 3})
    eventually(lambda: reader(served)["lossless"] is True)
    httpx.patch(f"{served.url}/v1/reader", json={"enabled": was, "lossless": False}).raise_for_status()
    expect(window.page.get_by_role("slider", name="Quality")).to_be_visible()
    window.settled()
    assert window.axe() == []
    window.look("settings")


def test_the_cache_is_cleaned(served: Service, open_window: NewWindow) -> None:
    body = {"path": "Sample volume.cbz", "model": MODEL}
    job = httpx.post(f"{served.url}/v1/jobs", json=body).json()["id"]
    eventually(lambda: bool(httpx.get(f"{served.url}/v1/jobs/{job}").json()["counts"]["done"]))
    eventually(lambda: bool(httpx.get(f"{served.url}/v1/cache").json()["totalFiles"]))
    window = open_window()
    window.go("/settings")
    window.page.get_by_role("button", name="Clean…").click()
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_label("Remove what was not used for").select_option("any time: everything")
    dialog.get_by_role("button", name="Clean…").click()
    expect(window.page.get_by_text("removed,")).to_be_visible()


def test_language_and_theme_change_at_once_and_are_kept(open_window: NewWindow) -> None:
    window = open_window(color_scheme="light")
    page = window.page
    window.go("/settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    assert window.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_text("深色", exact=True).click()
    assert window.theme() == "dark"
    page.reload()
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    assert window.theme() == "dark"
    window.settled()
    assert window.axe() == []
    window.look("settings-zh-dark", keep=True)


@pytest.mark.parametrize("path", ["/models", "/settings"])
def test_a_phone_has_room_for_it(open_window: NewWindow, path: str) -> None:
    window = open_window(**PHONE, locale="zh-CN")
    window.go(path)
    expect(window.page.get_by_role("heading", level=2).first).to_be_visible()
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.settled()
    assert window.axe() == []
    window.look(f"phone{path.replace('/', '-')}")
