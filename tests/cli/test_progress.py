"""Bars for a person, lines for a log."""

from __future__ import annotations

import io
import sys

import pytest

from enlarger.cli.pace import Pace
from enlarger.cli.progress import Display
from enlarger.enhance import PageOutcome
from enlarger.messages import msg


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called in the test itself: between a fixture and its test pytest puts its own stderr back."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")
    return terminal


def test_without_a_terminal_a_download_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    with display.download(msg("Fetching {model}", model="cunet")) as advance:
        assert capsys.readouterr().err == ""  # nothing is said before there is something to fetch
        for done in range(5):
            advance(done, 4)
    assert capsys.readouterr().err == "Fetching cunet\n"


def test_without_a_terminal_no_bar_moves(capsys: pytest.CaptureFixture[str]) -> None:
    with Display().pages() as bar:
        assert bar is None
    assert capsys.readouterr().err == ""


def test_a_person_sees_pages_speed_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    clock = iter([0.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    pace = Pace(4, lambda: next(clock))
    pace.finish(PageOutcome("1.png", "computed", facts={"source_size": (1000, 1000)}))
    with Display().pages() as bar:
        assert bar is not None
        bar.begin("[Group] Vol. 1.cbz", 4)
        bar.update(pace, "2.png")
    for shown in ("[Group] Vol. 1.cbz", "1/4", "0.50 MP/s", "6.0 s left", "2.png"):
        assert shown in terminal.getvalue()


def test_a_download_shows_a_bar_once_bytes_come(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    with Display().download(msg("Fetching {model}", model="cunet")) as advance:
        assert terminal.getvalue() == ""
        advance(0, 100)
        advance(100, 100)
    assert "Fetching cunet" in terminal.getvalue()


def test_beside_a_moving_bar_a_download_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    display = Display()
    with display.pages(), display.download(msg("Fetching {model}", model="cunet")) as advance:
        advance(1, 2)
    assert "Fetching cunet\n" in terminal.getvalue().replace("\r", "")
