"""Stopped by a signal, the command keeps what is finished, and run again computes only the rest."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from command_running import SMALL_MODEL, Enlarger, draw_folder, finish, require_weights, spawn

_PAGES = 40

pytestmark = [pytest.mark.weights, pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX does")]


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def _files(folder: Path) -> int:
    return len(list(folder.glob("*.png")))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_folder_is_finished_by_running_again(
    enlarger: Enlarger, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    require_weights()
    folder, result = draw_folder(tmp_path / "book", _PAGES, side=200), tmp_path / "book_2x"
    process = spawn("upscale", folder, "--model", SMALL_MODEL, "--device", "fake", "--json")
    deadline = time.monotonic() + 60
    while _files(result) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    stopped = finish(process)
    kept = _files(result)
    assert stopped.code == code, stopped.err
    assert 2 <= kept < _PAGES
    assert stopped.json["exitCode"] == code
    assert stopped.json["error"]["code"] == "cancelled"
    assert stopped.json["totals"]["computed"] == kept
    assert "run the same command again" in stopped.err
    assert list(result.glob(".*")) == []

    again = enlarger.fake(folder, "--json")
    assert again.code == 0
    assert again.json["totals"]["kept"] == kept
    assert again.json["totals"]["computed"] + again.json["totals"]["cached"] == _PAGES - kept
    assert again.json["totals"]["cached"] <= 3  # stored while it stopped, not yet in place
    assert _files(result) == _PAGES
