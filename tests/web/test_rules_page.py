"""Rules in the browser: written, tried on a page, saved, obeyed, exchanged and taken back."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from real_browser import PHONE, NewWindow, Window, expect

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

SAMPLE = "Sample volume"


@pytest.fixture(autouse=True)
def no_rules(served: Service) -> None:
    """Every test begins without rules."""
    httpx.put(f"{served.url}/v1/reader/rules", json={"enabled": False, "rules": []}).raise_for_status()


def rules(served: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{served.url}/v1/reader/rules").json()
    return found


def new_rule(window: Window, name: str) -> None:
    window.page.get_by_role("button", name="New rule").first.click()
    window.page.get_by_label("Name", exact=True).fill(name)


def choose_page(window: Window, number: int) -> None:
    window.page.get_by_role("button", name="Choose a page").click()
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_role("button", name=SAMPLE).first.click()
    dialog.get_by_role("button", name=f"Page {number}", exact=True).click()


def save(window: Window) -> None:
    window.page.get_by_role("button", name="Save", exact=True).click()
    expect(window.page.get_by_text("The rules are saved and obeyed from now on.")).to_be_visible()


def shown_page(served: Service, page: int) -> dict[str, Any]:
    """What becomes of a page that is read."""
    items = httpx.get(f"{served.url}/v1/shelf/items").json()["items"]
    book = next(item["id"] for item in items if item["title"] == SAMPLE)
    httpx.post(f"{served.url}/v1/reader/books/{book}/open").raise_for_status()
    try:
        for _ in range(240):
            answer = httpx.put(f"{served.url}/v1/reader/books/{book}/position", json={"page": page}).json()
            state: dict[str, Any] = next(each for each in answer["pages"] if each["page"] == page)
            if state["status"] in ("completed", "skipped", "failed"):
                return state
            time.sleep(0.25)
    finally:
        httpx.delete(f"{served.url}/v1/reader/books/{book}")
    raise AssertionError(f"page {page} stays {state['status']}")


def test_a_rule_is_written_tried_and_obeyed(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/rules")
    page.get_by_role("switch", name="Use rules").click()
    new_rule(window, "Leave narrow pages")
    page.get_by_label("Width, to").fill("400")
    page.get_by_label("Only pages whose path has").fill("00[1-3]")
    page.get_by_text("Leave as it is", exact=True).click()
    choose_page(window, 2)
    verdict = page.get_by_label("Try it")
    expect(verdict.get_by_text("This page would be left as it is")).to_be_visible()
    expect(verdict.get_by_role("row", name="Width at most")).to_contain_text("400")
    expect(verdict.get_by_role("row", name="Width at most")).to_contain_text("350")
    page.get_by_label("Width, to").fill("300")  # tried at once, saved or not
    expect(verdict.get_by_text("does not match")).to_be_visible()
    expect(verdict.get_by_text("Does not hold")).to_have_count(1)
    page.get_by_label("Width, to").fill("400")
    expect(verdict.get_by_text("matches", exact=True)).to_be_visible()
    assert rules(served)["rules"] == []
    window.settled()
    assert window.axe() == []
    window.look("rules", keep=True)
    save(window)
    assert rules(served)["rules"][0]["match"]["maxWidth"] == 400
    state = shown_page(served, 1)
    assert state["status"] == "skipped"
    assert state["rule"]["name"] == "Leave narrow pages"
    assert "Leave narrow pages" in state["reason"]


def test_a_pattern_that_cannot_be_used_is_shown_at_its_field_and_not_saved(
    served: Service, open_window: NewWindow
) -> None:
    window = open_window()
    window.go("/rules")
    new_rule(window, "Broken")
    field = window.page.get_by_label("But no books whose path has")
    field.fill("(a+")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(window.page.get_by_role("alert").filter(has_text="(a+").first).to_be_visible()
    window.page.get_by_role("button", name="Save", exact=True).click()
    expect(window.page.get_by_text("nothing was saved").first).to_be_visible()
    assert rules(served)["rules"] == []
    window.settled()
    assert window.axe() == []
    field.fill("a+")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    save(window)
    assert rules(served)["rules"][0]["match"]["bookExclude"] == "a+"


def test_presets_are_ordered_by_keys_and_by_dragging_and_taken_back(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/rules")
    page.get_by_role("button", name="From a preset").click()
    page.get_by_role("button", name="Add: Scanned manga").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="From a preset").click()
    page.get_by_role("button", name="Add: Photographs").click()
    listed = page.get_by_role("list", name="Rules, in the order they are asked")
    expect(listed.get_by_role("listitem").first).to_contain_text("Scanned manga")
    listed.get_by_role("button", name="Photographs").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(listed.get_by_role("listitem").first).to_contain_text("Photographs")
    page.get_by_role("button", name="Undo").click()
    expect(listed.get_by_role("listitem").first).to_contain_text("Scanned manga")
    handle = listed.locator(".handle").last.bounding_box()
    target = listed.locator(".handle").first.bounding_box()
    assert handle is not None
    assert target is not None
    page.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(target["x"] + 8, target["y"] + 4, steps=6)
    page.mouse.up()
    expect(listed.get_by_role("listitem").first).to_contain_text("Photographs")
    save(window)
    assert [rule["name"] for rule in rules(served)["rules"]] == ["Photographs", "Scanned manga"]


def test_flat_json_goes_in_and_out(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/rules")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Import or export").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_role("textbox")
    expect(field).to_have_value('{\n  "upscaleConditionsEnabled": false,\n  "upscaleConditions": []\n}')
    field.fill("{")
    dialog.get_by_role("button", name="Replace all rules by this").click()
    expect(dialog.get_by_role("alert")).to_contain_text("This is no JSON")
    flat = {"id": "1", "name": "small", "enabled": True, "priority": 0, "maxWidth": 800, "modelName": "cunet"}
    field.fill(json.dumps({"upscaleConditionsEnabled": True, "upscaleConditions": [flat]}))
    window.settled()
    assert window.axe() == []
    dialog.get_by_role("button", name="Replace all rules by this").click()
    expect(page.get_by_role("button", name="small")).to_be_visible()
    assert rules(served)["enabled"] is True
    assert rules(served)["rules"][0]["match"]["maxWidth"] == 800


def test_a_phone_shows_the_list_or_one_rule(open_window: NewWindow) -> None:
    window = open_window(**PHONE, locale="zh-CN", color_scheme="dark")
    page = window.page
    window.go("/rules")
    expect(page.get_by_text("还没有规则")).to_be_visible()
    window.look("rules-phone-empty")
    page.get_by_role("button", name="新建规则").first.click()
    page.get_by_label("名称", exact=True).fill("窄页")
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.settled()
    assert window.axe() == []
    window.look("rules-phone")
    page.get_by_role("button", name="全部规则").first.click()
    expect(page.get_by_role("button", name="窄页")).to_be_visible()
