"""Consoles and pipes of other encodings than UTF-8, as Windows has them: nothing that is said ends the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ODD = "第1話 🙂 é"


def said(*arguments: str, encoding: str, folder: Path, language: str = "zh") -> tuple[int, bytes, bytes]:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": encoding,
        "ENLARGER_LANGUAGE": language,
        "ENLARGER_DATA_DIR": str(folder / "data"),
        "ENLARGER_CACHE_DIR": str(folder / "cache"),
        "ENLARGER_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "enlarger", *arguments], env=environment, capture_output=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("encoding", ["gbk", "cp437"])
def test_help_in_chinese_is_shown_on_every_console(encoding: str, tmp_path: Path) -> None:
    code, out, err = said("--help", encoding=encoding, folder=tmp_path)
    assert (code, b"Traceback" in err) == (0, False)
    shown = out.decode(encoding)
    assert "upscale" in shown
    assert ("放大" in shown) == (encoding == "gbk")


@pytest.mark.parametrize("encoding", ["gbk", "cp437"])
def test_an_error_that_names_an_odd_file_is_told(encoding: str, tmp_path: Path) -> None:
    code, _, err = said("upscale", str(tmp_path / f"{ODD}.png"), encoding=encoding, folder=tmp_path)
    told = err.decode(encoding)
    assert code not in (0, 1)
    assert "Traceback" not in told
    assert "?" in told  # the face, which neither has
    assert ("第1話" in told) == (encoding == "gbk")
