"""Runs the command, in this process or in one of its own, with its data below one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from enlarger.cli.app import run
from enlarger.models import Card, found_at, load_catalog
from enlarger.settings import Settings
from loud_skips import missing

SMALL_MODEL = "waifu2x-upconv7-anime"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


class Enlarger:
    """Calls the command as a person would; nothing is fetched."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.data_dir, self.cache_dir = folder / "data", folder / "cache"
        self._capsys = capsys
        monkeypatch.setenv("ENLARGER_DATA_DIR", str(self.data_dir))
        monkeypatch.setenv("ENLARGER_CACHE_DIR", str(self.cache_dir))
        monkeypatch.setenv("ENLARGER_OFFLINE", "1")
        monkeypatch.setenv("ENLARGER_LANGUAGE", "en")

    def __call__(self, *arguments: str | Path) -> Done:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Done(code, *self._capsys.readouterr())

    def fake(self, *arguments: str | Path) -> Done:
        """`upscale` on the runtime without a network."""
        require_weights()
        return self("upscale", *arguments, "--model", SMALL_MODEL, "--device", "fake")


def spawn(*arguments: str | Path) -> subprocess.Popen[str]:
    """The command in a process of its own, UTF-8 on both ends."""
    command = [sys.executable, "-W", "error", "-m", "enlarger", *map(str, arguments)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )


def finish(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=120)
    return Done(process.returncode, out, err)


def require_weights() -> None:
    card = load_catalog().find(SMALL_MODEL)
    assert isinstance(card, Card)
    if not all(found_at(variant, Settings()) for variant in card.variants):
        missing(str(card.variants[0].package))


def draw_page(path: Path, seed: int = 0, width: int = 48, height: int = 40) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def draw_folder(folder: Path, pages: int, side: int = 48) -> Path:
    for number in range(pages):
        draw_page(folder / f"{number:03}.png", number, side, side)
    return folder
