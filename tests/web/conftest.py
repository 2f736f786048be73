"""The real server with real weights, and the real browser, for every test of the web application."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from real_browser import DESKTOP, FLAGS, ROOT, NewWindow, Window
from sample_shelf import MODEL, PAGES, write_volume

from bench.served import Service
from enlarger.models import found_at, load_catalog
from enlarger.settings import Settings
from loud_skips import missing

_CHROMIUM = Path(os.environ.get("ENLARGER_CHROMIUM", "/usr/bin/chromium"))
_UI = ROOT / "src" / "enlarger" / "server" / "ui" / "index.html"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's browser over the built application."""
    if not _CHROMIUM.exists():
        missing(f"Chromium ({_CHROMIUM}; another one: ENLARGER_CHROMIUM)")
    if not _UI.exists():
        missing("the built web application (make web)")
    browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graphs are made once for all servers of a run."""
    variants = load_catalog().find(MODEL)
    absent = [str(each.package) for each in getattr(variants, "variants", ()) if not found_at(each, Settings())]
    if absent:
        missing(", ".join(sorted(set(absent))))
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def served(data_dir: Path, tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Service]:
    """`enlarger serve` with the sample volume on its shelf, warm: the model has been opened once."""
    service = Service(data_dir, tmp_path_factory.mktemp("served"), {"ENLARGER_PRELOAD": MODEL})
    write_volume(service.storage / "incoming" / "Sample volume.cbz", PAGES)
    service.start().ready()
    yield service
    assert service.stop() == 0


@pytest.fixture
def open_window(chromium: Browser, served: Service, request: pytest.FixtureRequest) -> Iterator[NewWindow]:
    """Opens windows of the application: open_window(**PHONE, locale="zh-CN"). Errors of scripts fail the test."""
    windows: list[Window] = []
    output = ROOT / "build" / "screens" / request.node.path.stem

    def opened(**options: object) -> Window:
        page = chromium.new_page(**{**DESKTOP, "locale": "en-GB", **options})  # type: ignore[arg-type]
        windows.append(Window(page, served.url, output))
        return windows[-1]

    yield opened
    for window in windows:
        window.page.context.close()
        assert window.problems == []
