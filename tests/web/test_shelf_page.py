"""The shelf in the browser: books, folders, uploads, and a volume enlarged from its menu."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import httpx
import pytest
from real_browser import PHONE, NewWindow, expect
from sample_shelf import MODEL, write_volume

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

MANY = 1500
TINY = (24, 34)


def write_folder(folder: Path, pages: int) -> None:
    """A book that is a folder of pictures."""
    archive = folder.with_suffix(".zip")
    write_volume(archive, pages, TINY)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    archive.unlink()


def test_books_have_covers_and_open_in_the_reader(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/")
    book = page.get_by_role("link", name="Sample volume").first
    expect(book).to_be_visible()
    window.until("[...document.querySelectorAll('.cover img')].some((image) => image.naturalWidth > 0)")
    box = page.locator(".cover").first.bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
    window.settled()
    assert window.axe() == []
    window.look("shelf")
    book.click()
    items = httpx.get(f"{served.url}/v1/shelf/items").json()["items"]
    opened = next(item["id"] for item in items if item["title"] == "Sample volume")
    expect(page).to_have_url(re.compile(rf"^{re.escape(window.base)}/ui/read/{re.escape(opened)}(/\d+)?$"))


def test_folders_are_walked_through_with_crumbs_and_search(served: Service, open_window: NewWindow) -> None:
    write_folder(served.storage / "incoming" / "One & Two" / "第 1 巻", 2)
    window = open_window()
    page = window.page
    window.go("/")
    page.get_by_role("link", name="One & Two").click()
    expect(page.get_by_role("link", name="第 1 巻")).to_be_visible()
    crumbs = page.get_by_role("navigation", name="Where you are")
    expect(crumbs).to_contain_text("One & Two")
    page.reload()
    expect(crumbs).to_contain_text("One & Two")
    crumbs.get_by_role("link", name="incoming").click()
    page.get_by_role("searchbox").fill("第")
    expect(page.get_by_role("link", name="第 1 巻")).to_be_visible()
    expect(page.get_by_role("link", name="Sample volume")).to_have_count(0)
    page.get_by_role("searchbox").fill("nothing is called this")
    expect(page.get_by_text("Nothing is called that")).to_be_visible()
    page.get_by_role("button", name="Clear search").click()
    expect(page.get_by_role("link", name="Sample volume").first).to_be_visible()


def test_thousands_of_books_are_a_few_elements_and_keys_walk_them(
    served: Service, open_window: NewWindow, tmp_path: Path
) -> None:
    root = tmp_path / "thousands"
    write_volume(root / "Book 0000.cbz", 1, TINY)
    data = (root / "Book 0000.cbz").read_bytes()
    for number in range(1, MANY):
        (root / f"Book {number:04d}.cbz").write_bytes(data)
    window = open_window()
    page = window.page
    window.go("/")
    page.get_by_role("button", name="Add folder").click()
    page.get_by_label("Path on the server").fill(str(tmp_path / "not there"))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("there is no such file or folder")
    page.get_by_label("Path on the server").fill(str(root))
    page.get_by_role("button", name="Add", exact=True).click()
    grid = page.get_by_role("list", name="Books and folders")
    expect(grid.get_by_role("link", name="Book 0000")).to_be_visible()
    assert grid.get_by_role("listitem").count() < 80
    grid.get_by_role("link", name="Book 0000").focus()
    page.keyboard.press("ArrowRight")
    expect(grid.get_by_role("link", name="Book 0001")).to_be_focused()
    page.keyboard.press("End")
    expect(grid.get_by_role("listitem").last).to_be_visible()
    assert grid.get_by_role("listitem").count() < 80
    for _ in range(80):  # each end brings the next piece of the list
        if grid.get_by_role("link", name=f"Book {MANY - 1:04d}").count():
            break
        page.keyboard.press("End")
        page.wait_for_timeout(250)
    expect(grid.get_by_role("link", name=f"Book {MANY - 1:04d}")).to_be_visible()
    page.get_by_role("button", name="Take “thousands” off the shelf").click()
    page.get_by_role("button", name="Take off").click()
    expect(page.get_by_role("link", name="Sample volume").first).to_be_visible()
    assert [each["id"] for each in httpx.get(f"{served.url}/v1/shelf").json()["roots"]] == ["incoming"]


def test_a_menu_opens_where_there_is_room(open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/")
    button = page.get_by_role("button", name="Actions for Sample volume").first
    box = button.bounding_box()
    assert box is not None
    page.set_viewport_size({"width": 1280, "height": int(box["y"] + box["height"]) + 8})
    button.click()
    item = page.get_by_role("menuitem", name="Enlarge this volume")
    expect(item).to_be_in_viewport(ratio=1)
    item.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_an_upload_becomes_a_book_a_job_and_a_proven_archive(
    served: Service, open_window: NewWindow, tmp_path: Path
) -> None:
    write_volume(tmp_path / "Uploaded.cbz", 2, (90, 128))
    window = open_window()
    page = window.page
    window.go("/")
    page.get_by_test_id("upload").set_input_files(tmp_path / "Uploaded.cbz")
    expect(page.get_by_label("Uploads").get_by_text("On the shelf")).to_be_visible()
    grid = page.get_by_role("list", name="Books and folders")
    expect(grid.get_by_role("link", name="Uploaded")).to_be_visible()
    page.get_by_role("button", name="Actions for Uploaded").click()
    page.get_by_role("menuitem", name="Enlarge this volume").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Title")).to_have_value("Uploaded")
    dialog.get_by_label("Model").select_option(MODEL)
    window.settled()
    assert window.axe() == []
    dialog.get_by_role("button", name="Enlarge").click()
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Every file is what the report says: 2 of 2.")).to_be_visible(timeout=60_000)


def test_what_is_dropped_anywhere_is_uploaded_and_a_refusal_has_its_remedy(open_window: NewWindow) -> None:
    window = open_window()
    page = window.page
    window.go("/")
    expect(page.get_by_role("link", name="Sample volume").first).to_be_visible()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["no picture"], "letter.docx"));
          window.drag = { dataTransfer: transfer, bubbles: true, cancelable: true };
          for (const type of ["dragenter", "dragover"]) document.body.dispatchEvent(new DragEvent(type, window.drag));
        }"""
    )
    expect(page.get_by_text("Drop files or folders to upload them")).to_be_visible()
    window.look("shelf-drop")
    window.evaluate("document.body.dispatchEvent(new DragEvent('drop', window.drag))")
    uploads = page.get_by_label("Uploads")
    expect(uploads.get_by_role("button", name="Try letter.docx again")).to_be_visible()
    window.settled()
    assert window.axe() == []
    uploads.get_by_role("button", name="Remove letter.docx from this list").click()
    expect(uploads).to_have_count(0)


def test_a_book_that_was_read_is_at_hand(served: Service, open_window: NewWindow) -> None:
    items = httpx.get(f"{served.url}/v1/shelf/items").json()["items"]
    book = next(item["id"] for item in items if item["title"] == "Sample volume")
    httpx.put(f"{served.url}/v1/books/{book}/progress", json={"page": 4}).raise_for_status()
    window = open_window(**PHONE, locale="zh-CN", color_scheme="dark")
    window.go("/")
    recent = window.page.get_by_label("继续阅读")
    expect(recent.get_by_text("第 5 / 12 页")).to_be_visible()
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.settled()
    assert window.axe() == []
    window.look("shelf-phone")
