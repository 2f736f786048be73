"""Settings come from the environment when they are made, and docs/settings.md tells each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from enlarger.settings import Settings
from source_trees import ROOT

_SPOKEN = {"": "", "False": "no", "256.0": "256", "None": "", str(20 * 1024**3): "20 GiB"}
_FOLDERS = {"data_dir": "the user's data folder", "cache_dir": "the user's cache folder"}


def _rows() -> dict[str, tuple[str, ...]]:
    table = re.findall(
        r"^\| `(\w+)` \| ?(.*?) ?\| (.+?) \| (.+?) \|$", (ROOT / "docs/settings.md").read_text("utf-8"), re.M
    )
    return {name: tuple(cells) for name, *cells in table}


def test_every_setting_is_documented() -> None:
    wanted = {}
    for name, field in Settings.model_fields.items():
        default = str(field.default)
        wanted[f"ENLARGER_{name.upper()}"] = (_FOLDERS.get(name, _SPOKEN.get(default, default)), field.description)
    assert {name: cells[:2] for name, cells in _rows().items()} == wanted


def test_every_setting_is_documented_in_chinese() -> None:
    assert [name for name, cells in _rows().items() if not re.search(r"[\u4e00-\u9fff]", cells[2])] == []


def test_the_environment_is_read_when_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENLARGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ENLARGER_CACHE_MAX_BYTES", "2 GiB")
    monkeypatch.setenv("ENLARGER_OFFLINE", "1")
    settings = Settings()
    assert settings.models_dir == tmp_path / "models"
    assert settings.graphs_dir == tmp_path / "graphs"
    assert settings.cache_max_bytes == 2 * 1024**3
    assert settings.offline


def test_cache_folders_lie_in_the_cache(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path)
    assert settings.renders_dir == tmp_path / "renders"
    assert settings.compiled_dir == tmp_path / "compiled"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().threads = 4  # type: ignore[misc]


@pytest.mark.parametrize("wrong", [{"threads": -1}, {"max_megapixels": 0}, {"cache_max_bytes": "many"}, {"thread": 2}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)
