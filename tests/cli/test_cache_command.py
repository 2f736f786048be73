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
        "cacheDir": str(enlarger.cache_dir),
    }
    shown = enlarger("cache", "stats").out
    assert str(enlarger.cache_dir) in shown
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
    assert "Files dropped: 1; freed: 98.0 KB." in done.err


def leave(enlarger: Enlarger, age_days: int) -> list[Path]:
    """A journal, a part and a compiled graph, a thousand bytes each."""
    used = time.time() - age_days * _DAY_S
    names = (f"journals/{age_days}.jsonl", f"parts/{age_days}/1.png", f"compiled/{age_days}.blob")
    files = [enlarger.cache_dir / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(1000))
        for path in (file, file.parent):
            os.utime(path, (used, used))
    return files


def test_stats_count_what_lies_beside_the_renders(enlarger: Enlarger) -> None:
    cache = hold(enlarger, 1)
    leave(enlarger, 1)
    found = enlarger("cache", "stats", "--json").json
    assert (found["totalFiles"], found["totalSize"]) == (4, cache.stats().total_bytes + 3000)
    assert "compiled graphs: 3; 2.9 KB" in enlarger("cache", "stats").out


def test_all_empties_every_folder_even_of_files_from_the_future(enlarger: Enlarger) -> None:
    cache = hold(enlarger, 1, -1)
    files = leave(enlarger, 1) + leave(enlarger, -1)
    size = cache.stats().total_bytes + 6000
    done = enlarger("cache", "clean", "--all", "--json").json
    assert (done["removedFiles"], done["freedSize"]) == (8, size)
    assert [file for file in files if file.exists()] == []
    assert enlarger("cache", "stats", "--json").json["totalFiles"] == 0


def test_older_than_sweeps_all_folders_and_max_size_only_renders(enlarger: Enlarger) -> None:
    old, young = leave(enlarger, 40), leave(enlarger, 2)
    assert enlarger("cache", "clean", "--max-size", "1KB", "--json").json["removedFiles"] == 0
    assert enlarger("cache", "clean", "--older-than", "30d", "--json").json["removedFiles"] == 3
    assert [file.exists() for file in old + young] == [False] * 3 + [True] * 3
