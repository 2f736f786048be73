"""`enlarger cache`: what is held, and what goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from command_running import Enlarger

from enlarger.enhance import RenderCache

_DAY_S = 86400


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def hold(enlarger: Enlarger, *ages_days: int) -> RenderCache:
    cache = RenderCache(enlarger.cache_dir / "renders", 10**9)
    for number, age in enumerate(ages_days):
        key = f"{number:02}" * 32
        cache.put(key, bytes(100_000), "png", {"size": [1, 1]})
        used = time.time() - age * _DAY_S
        os.utime(cache.folder / key[:2] / f"{key}.json", (used, used))
    return cache


def test_stats(enlarger: Enlarger) -> None:
    cache = hold(enlarger, 1, 2)
    held = cache.stats()
    assert enlarger("cache", "stats", "--json").json == {
        "totalFiles": 2,
        "totalSize": held.total_bytes,
        "cacheDir": str(cache.folder),
    }
    shown = enlarger("cache", "stats").out
    assert str(cache.folder) in shown
    assert "Renders: 2" in shown


def test_nothing_held_is_no_error(enlarger: Enlarger) -> None:
    assert enlarger("cache", "stats", "--json").json["totalFiles"] == 0
    assert enlarger("cache", "clean", "--all", "--json").json["removedFiles"] == 0


@pytest.mark.parametrize(
    ("options", "removed"),
    [
        (["--older-than", "30d"], 1),
        (["--older-than", "36h"], 2),
        (["--max-size", "250KB"], 1),
        (["--max-size", "150KB", "--older-than", "30d"], 2),
        (["--max-size", "1GB"], 0),
        (["--all"], 3),
    ],
)
def test_clean_drops_the_longest_unused(enlarger: Enlarger, options: list[str], removed: int) -> None:
    cache = hold(enlarger, 1, 2, 40)
    before = cache.stats().total_bytes
    result = enlarger("cache", "clean", *options, "--json").json
    held = cache.stats()
    assert (result["removedFiles"], held.total_files) == (removed, 3 - removed)
    assert result["freedSize"] == before - held.total_bytes


def test_clean_tells_a_person_on_stderr(enlarger: Enlarger) -> None:
    hold(enlarger, 1)
    done = enlarger("cache", "clean", "--all")
    assert (done.code, done.out) == (0, "")
    assert "Renders dropped: 1; freed: 98.0 KB." in done.err
