"""Stopped by SIGKILL anywhere in a volume and run again: only what is missing is computed, to the same bytes."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from page_files import page, write_pages, write_zip
from real_command import EXACT, Command, finish, kill, leftovers, tree

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(os.name == "nt", reason="no SIGKILL"),
]
_PAGES = 8
_KILLS = 4


@pytest.fixture
def volume(tmp_path: Path) -> tuple[Path, Path]:
    """A cbz and a folder, all pages different, each large enough to be hit by a kill."""
    archive = {f"{number:03}.png": page(number, 120, 160) for number in range(_PAGES)}
    return write_zip(tmp_path / "volume.cbz", archive), write_pages(tmp_path / "loose", _PAGES, 120, 160, first=_PAGES)


def killed(process: subprocess.Popen[str], enlarger: Command, more_pages: int, most_pages: int, after_s: float) -> bool:
    """Kill the command a moment after so many more pages, at the latest when there are `most_pages` more.

    False when it came to its end before.
    """
    begun = len(enlarger.renders())
    while process.poll() is None and len(enlarger.renders()) < begun + more_pages:
        time.sleep(0.005)
    end = time.monotonic() + after_s
    while time.monotonic() < end and len(enlarger.renders()) < begun + most_pages:
        time.sleep(0.005)
    survived = process.poll() is not None
    kill(process)
    return not survived


@pytest.mark.slow
def test_killed_at_random_moments(enlarger: Command, other: Command, volume: tuple[Path, Path], tmp_path: Path) -> None:
    chance = random.Random()
    seed = chance.randrange(1 << 32)
    print(f"seed {seed}")
    chance.seed(seed)
    arguments = (*volume, "-o", tmp_path / "out")
    kills = 0
    while kills < _KILLS:
        left = 2 * _PAGES - len(enlarger.renders())
        assert left > 0, "it was too quick to be killed so often"
        most = max(1, left // (_KILLS - kills + 1))  # so that something is left for each of the others
        process = enlarger.start("upscale", *arguments, *EXACT)
        kills += killed(process, enlarger, chance.randint(1, most), most, chance.uniform(0, 0.1))
        assert not (tmp_path / "out" / "volume.cbz").exists() or len(enlarger.renders()) >= _PAGES
    finished = enlarger.renders()
    last = enlarger.upscale(*arguments, "--json")
    assert last.code == 0, last.err
    assert last.totals["computed"] == 2 * _PAGES - len(finished)
    assert last.totals["kept"] + last.totals["cached"] == len(finished)
    assert finished.items() <= enlarger.renders().items()  # none was written a second time
    undisturbed = other.upscale(*volume, "-o", tmp_path / "undisturbed", "--json")
    assert undisturbed.totals["computed"] == 2 * _PAGES
    assert tree(tmp_path / "out") == tree(tmp_path / "undisturbed")
    assert len(tree(tmp_path / "out")) == 1 + _PAGES


def test_killed_before_anything_is_there(enlarger: Command, volume: tuple[Path, Path], tmp_path: Path) -> None:
    process = enlarger.start("upscale", volume[0], "-o", tmp_path / "out.cbz", *EXACT)
    time.sleep(0.3)
    kill(process)
    assert not (tmp_path / "out.cbz").exists()
    assert enlarger.renders() == {}


@pytest.mark.slow
def test_two_processes_on_one_volume_at_once(
    enlarger: Command, other: Command, volume: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = ("upscale", *volume, "-o", tmp_path / "out", *EXACT)
    both = [finish(process) for process in (enlarger.start(*arguments), enlarger.start(*arguments))]
    assert [done.code for done in both] == [0, 0], [done.err for done in both]
    other.upscale(*volume, "-o", tmp_path / "undisturbed")
    assert tree(tmp_path / "out") == tree(tmp_path / "undisturbed")
    assert leftovers(tmp_path / "out", enlarger.cache_dir) == []
    again = enlarger.upscale(*volume, "-o", tmp_path / "out", "--json")
    assert again.totals["computed"] == 0
    assert again.totals["kept"] >= _PAGES  # a loose page whose file both placed may count as cached
