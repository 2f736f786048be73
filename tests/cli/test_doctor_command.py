"""`enlarger doctor`: 0 where pictures can be enlarged, 1 where they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_running import Enlarger

from enlarger.models import load_catalog


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def test_a_machine_that_is_well(enlarger: Enlarger) -> None:
    done = enlarger("doctor")
    assert done.code == 0
    assert "Enlarger can be used here." in done.out
    assert "openvino" in done.out
    for card in load_catalog().cards:
        assert card.name in done.out


def test_as_json(enlarger: Enlarger) -> None:
    told = enlarger("doctor", "--json").json
    assert told["usable"] is True
    assert {finding["status"] for finding in told["findings"]} <= {"ok", "warning", "missing"}
    assert set(told["weights"]) == {card.name for card in load_catalog().cards}


def test_a_folder_that_cannot_be_written_is_named_with_its_remedy(
    enlarger: Enlarger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ENLARGER_CACHE_DIR", str(tmp_path / "file" / "cache"))
    done = enlarger("doctor")
    assert done.code == 1
    assert "missing" in done.out
    assert "ENLARGER_CACHE_DIR" in done.out
    assert "Enlarger cannot be used here." in done.out
