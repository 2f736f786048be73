"""Settings come from the environment when they are made, and docs/settings.md tells each of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import AliasChoices, ByteSize, SecretStr, ValidationError

from enlarger.errors import InputError
from enlarger.settings import Settings
from source_trees import ROOT

_FOLDERS = {"data_dir": "the user's data folder", "cache_dir": "the user's cache folder"}


def _rows() -> dict[str, tuple[str, ...]]:
    table = re.findall(
        r"^\| `(\w+)` \| ?(.*?) ?\| (.+?) \| (.+?) \|$", (ROOT / "docs/settings.md").read_text("utf-8"), re.M
    )
    return {name: tuple(cells) for name, *cells in table}


def _spoken(default: object) -> str:
    if isinstance(default, ByteSize) and default:
        return default.human_readable(separator=" ").replace(".0 ", " ")
    if isinstance(default, bool):
        return "yes" if default else "no"
    if default is None:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_setting_is_documented() -> None:
    wanted = {}
    for name, field in Settings.model_fields.items():
        wanted[f"ENLARGER_{name.upper()}"] = (_FOLDERS.get(name) or _spoken(field.default), field.description)
    assert {name: cells[:2] for name, cells in _rows().items()} == wanted


def test_every_setting_is_documented_in_chinese() -> None:
    assert [name for name, cells in _rows().items() if not re.search(r"[\u4e00-\u9fff]", cells[2])] == []


def test_every_other_name_is_documented() -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    choices = [field.validation_alias for field in Settings.model_fields.values()]
    names = [alias.choices for alias in choices if isinstance(alias, AliasChoices)]
    assert re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text, re.M) == [(also, own) for own, also in names]


def test_other_names_are_read_where_the_own_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REICHAN_STORAGE_ROOT", "elsewhere")
    monkeypatch.setenv("REICHAN_MAX_CONCURRENCY", "3")
    monkeypatch.setenv("ENLARGER_WORKERS", "2")
    settings = Settings()
    assert (settings.storage_dir, settings.workers) == (Path("elsewhere"), 2)


def test_a_token_is_not_shown() -> None:
    assert "hush" not in repr(Settings(token=SecretStr("hush")))


def test_the_token_is_read_from_its_variable_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from the file\n", "utf-8")
    assert Settings(token=SecretStr(""), token_file=None).read_token() == ""
    assert Settings(token=SecretStr(""), token_file=file).read_token() == "from the file"
    assert Settings(token=SecretStr("typed"), token_file=file).read_token() == "typed"


@pytest.mark.parametrize("content", [None, b" \n", b"\xff\xfe"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="token"):
        Settings(token=SecretStr(""), token_file=file).read_token()


def test_lists_are_read_from_one_line(tmp_path: Path) -> None:
    settings = Settings(
        preload="cunet, realcugan-se,,cunet ",
        allowed_dirs=os.pathsep.join([str(tmp_path), "", "scans"]),
        allowed_hosts="NAS.local, *",
        cors_origins="https://Reader.example/, http://localhost:3000",
    )
    assert settings.preloaded_models == ("cunet", "realcugan-se")
    assert settings.allowed_folders == (tmp_path, Path.cwd() / "scans")
    assert settings.host_names == ("nas.local", "*")
    assert settings.origins == ("https://reader.example", "http://localhost:3000")
    bare = Settings(preload="", allowed_dirs="", allowed_hosts="", cors_origins="")
    assert (bare.preloaded_models, bare.allowed_folders, bare.host_names, bare.origins) == ((), (), (), ())


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
