"""Jobs in the browser: submitted, followed, fetched, proven, steered and deleted."""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
import zipfile
from pathlib import Path

import httpx
import pytest
from PIL import Image
from real_browser import PHONE, NewWindow, Window, expect
from sample_shelf import MODEL, PAGES, write_volume

from bench.served import Service

pytestmark = [pytest.mark.weights, pytest.mark.slow]

ENDED_MS = 120_000


def submit(served: Service, **options: object) -> str:
    """A job by HTTP, for tests that look at it only."""
    body = {"path": "Sample volume.cbz", "model": MODEL, "container": "cbz", **options}
    answer = httpx.post(f"{served.url}/v1/jobs", json=body).raise_for_status()
    return str(answer.json()["id"])


def broken_volume(served: Service) -> None:
    """Three pages, one of them no picture."""
    target = served.storage / "incoming" / "Broken volume.cbz"
    if not target.exists():
        write_volume(target, 2, (90, 128))
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr("003.jpg", b"no picture")


def long_volume(served: Service) -> None:
    """The sample, and each of its pages mirrored, upside down, and both: four times as many."""
    short, long = (served.storage / "incoming" / f"{name} volume.cbz" for name in ("Sample", "Long"))
    turns = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180)
    shutil.copy(short, long)
    with zipfile.ZipFile(short) as pages, zipfile.ZipFile(long, "a") as more:
        for name, turn in itertools.product(pages.namelist(), turns):
            file = io.BytesIO()
            Image.open(io.BytesIO(pages.read(name))).transpose(turn).save(file, "JPEG", quality=88)
            more.writestr(f"{turn.name}/{name}", file.getvalue())


def ended(window: Window, badge: str) -> None:
    head = window.page.locator("header", has=window.page.get_by_role("heading", level=2))
    expect(head.get_by_text(badge, exact=True)).to_be_visible(timeout=ENDED_MS)


def test_a_volume_is_submitted_followed_downloaded_and_verified(
    served: Service, open_window: NewWindow, tmp_path: Path
) -> None:
    window = open_window()
    page = window.page
    window.go("/jobs")
    page.get_by_role("button", name="New job").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Folder, archive or picture").fill("Sample volume.cbz")
    dialog.get_by_label("Title").fill("Sample")
    dialog.get_by_label("Volume").fill("01")
    dialog.get_by_label("Model").select_option(MODEL)
    dialog.get_by_role("button", name="Enlarge").click()
    ended(window, "Done")
    window.look("jobs-just-done")
    expect(page.get_by_label("Pages of Sample").get_by_text("Done", exact=True)).to_have_count(PAGES)
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Download").click()
    fetched.value.save_as(tmp_path / "volume.cbz")
    with zipfile.ZipFile(tmp_path / "volume.cbz") as archive:
        assert len([name for name in archive.namelist() if name.endswith(".jpg")]) == PAGES
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(f"Every file is what the report says: {PAGES} of {PAGES}.")).to_be_visible(timeout=ENDED_MS)
    page.get_by_text("Details", exact=True).click()
    digest = hashlib.sha256((tmp_path / "volume.cbz").read_bytes()).hexdigest()
    expect(page.get_by_text(digest)).to_be_visible()
    page.get_by_text("Pages", exact=True).click()
    window.settled()
    assert window.axe() == []
    window.look("jobs-done", keep=True)


def test_a_page_that_fails_says_why_and_what_helps(served: Service, open_window: NewWindow) -> None:
    broken_volume(served)
    job = submit(served, path="Broken volume.cbz")
    window = open_window()
    window.go(f"/jobs/{job}")
    ended(window, "Done, with errors")
    row = window.page.get_by_role("listitem").filter(has_text="003.jpg")
    expect(row).to_contain_text("not a picture")
    expect(row).to_contain_text("Hand in")
    window.page.get_by_role("button", name="Verify").click()
    expect(window.page.get_by_text("Pages that failed are not in the archive.")).to_be_visible(timeout=ENDED_MS)
    window.page.get_by_text("Events", exact=True).click()
    expect(window.page.get_by_text("003.jpg failed:")).to_be_visible()
    window.settled()
    assert window.axe() == []
    window.look("jobs-errors")


def test_everything_is_live_over_one_socket_without_polling(served: Service, open_window: NewWindow) -> None:
    window = open_window()
    asked: list[str] = []
    sockets: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    window.page.on("websocket", lambda socket: sockets.append(socket.url))
    window.go("/jobs")
    expect(window.page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    window.page.wait_for_load_state("networkidle")
    before = len(asked)
    job = submit(served, title="Seen at once")
    row = window.page.get_by_role("list", name="Jobs").get_by_role("link", name="Seen at once")
    expect(row).to_be_visible()
    expect(row).to_contain_text("Done", timeout=ENDED_MS)
    assert httpx.delete(f"{served.url}/v1/jobs/{job}").status_code == 204
    expect(row).to_have_count(0)
    assert [url for url in asked[before:] if "/v1/jobs" in url] == []
    assert len(sockets) == 1


def test_a_job_is_paused_resumed_cancelled_and_deleted(served: Service, open_window: NewWindow) -> None:
    long_volume(served)  # so that it is not over before it is cancelled
    job = submit(served, path="Long volume.cbz", title="Steered", noise="3", tta=True)
    window = open_window()
    page = window.page
    window.go(f"/jobs/{job}")
    page.get_by_role("button", name="Pause").click()
    ended(window, "Paused")
    page.get_by_label("Priority").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_label("Priority").select_option("interactive")
    window.until_so(lambda: httpx.get(f"{served.url}/v1/jobs/{job}").json()["priority"] == "interactive")
    page.get_by_role("button", name="Cancel job").click()
    ended(window, "Cancelled")
    assert httpx.get(f"{served.url}/v1/jobs/{job}").json()["priority"] == "interactive"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The job was deleted.")).to_be_visible()
    assert httpx.get(f"{served.url}/v1/jobs/{job}").status_code == 404


def test_a_path_that_is_not_there_is_refused_with_its_remedy(open_window: NewWindow) -> None:
    window = open_window(locale="zh-CN", color_scheme="dark")
    window.go("/jobs")
    window.page.get_by_role("button", name="新建任务").first.click()
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_label("文件夹、压缩包或图片").fill("nowhere.cbz")
    dialog.get_by_role("button", name="放大").click()
    expect(dialog.get_by_role("alert")).to_contain_text("nowhere.cbz")
    window.settled()
    assert window.axe() == []


def test_a_phone_shows_the_list_or_one_job(served: Service, open_window: NewWindow) -> None:
    job = submit(served, title="On the phone")
    window = open_window(**PHONE, color_scheme="dark")
    page = window.page
    window.go("/jobs")
    page.get_by_role("link", name="On the phone").click()
    ended(window, "Done")
    assert page.url.endswith(job)
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.settled()
    assert window.axe() == []
    window.look("jobs-phone")
    page.get_by_role("button", name="All jobs").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
