"""What lies beside the renders is counted and swept, and an archive in the making is left alone."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from enlarger.books.spool import Spool
from enlarger.enhance import beside_renders, sweep_beside_renders
from enlarger.settings import Settings
from enlarger.storage import TEMPORARY_PREFIX, one_at_a_time

_DAY_S = 86400


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")


def put(path: Path, *, age_days: float = 0, size: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return aged(path, age_days)


def aged(path: Path, age_days: float) -> Path:
    used = time.time() - age_days * _DAY_S
    os.utime(path, (used, used))
    return path


def job(settings: Settings, name: str, *, age_days: float) -> list[Path]:
    """A journal and the two parts of an archive that was left unfinished."""
    folder = settings.cache_dir / "parts" / name
    files = [put(folder / "1.png"), put(folder / "chapter" / "2.png")]
    files.append(put(settings.cache_dir / "journals" / f"{name}.jsonl", age_days=age_days))
    aged(folder / "chapter", age_days)
    aged(folder, age_days)
    return files


def test_nothing_is_there_before_first_use(settings: Settings) -> None:
    assert beside_renders(settings).total_files == 0
    assert sweep_beside_renders(settings) == 0
    assert not settings.cache_dir.exists()


def test_everything_is_counted_and_goes(settings: Settings) -> None:
    files = [*job(settings, "a", age_days=0), put(settings.compiled_dir / "graph.blob")]
    render = put(settings.renders_dir / "00" / "render.png")
    held = beside_renders(settings)
    assert (held.total_files, held.total_bytes, held.folder) == (4, 400, settings.cache_dir)
    assert sweep_beside_renders(settings) == 4
    assert [path for path in files if path.exists()] == []
    assert render.exists()
    assert not (settings.cache_dir / "parts" / "a").exists()


def test_only_what_was_unused_for_so_long_goes(settings: Settings) -> None:
    old, young = job(settings, "old", age_days=40), job(settings, "young", age_days=2)
    graph = put(settings.compiled_dir / "graph.blob", age_days=40)
    assert sweep_beside_renders(settings, unused_for_s=30 * _DAY_S) == 4
    assert [path for path in (*old, graph) if path.exists()] == []
    assert all(path.exists() for path in young)


def test_parts_are_as_old_as_their_folder_not_as_the_renders_they_share(settings: Settings) -> None:
    parts = job(settings, "a", age_days=1)
    aged(parts[0], 90)
    assert sweep_beside_renders(settings, unused_for_s=30 * _DAY_S) == 0


def test_a_part_that_shares_its_file_takes_no_room(settings: Settings) -> None:
    render = put(settings.renders_dir / "00" / "render.png")
    part = settings.cache_dir / "parts" / "a" / "1.png"
    part.parent.mkdir(parents=True)
    os.link(render, part)
    assert (beside_renders(settings).total_files, beside_renders(settings).total_bytes) == (1, 0)
    render.unlink()
    assert beside_renders(settings).total_bytes == 100


def test_an_archive_in_the_making_is_left_alone(settings: Settings) -> None:
    busy, idle = job(settings, "busy", age_days=90), job(settings, "idle", age_days=90)
    with one_at_a_time(settings.cache_dir / "journals" / "busy"):
        assert sweep_beside_renders(settings) == 3
    assert all(path.exists() for path in busy)
    assert not any(path.exists() for path in idle)
    assert sweep_beside_renders(settings) == 3


def test_a_journal_stays_as_long_as_its_output(settings: Settings, tmp_path: Path) -> None:
    (journal,) = (path for path in job(settings, "a", age_days=90) if path.suffix == ".jsonl")
    output = put(tmp_path / "out" / "1.png")
    entry = {"name": "1.png", "key": "k", "file": str(output), "format": "png", "bytes": 100, "mtime_ns": 1}
    journal.write_text(json.dumps({**entry, "source_size": [1, 1], "size": [2, 2]}))
    assert sweep_beside_renders(settings) == 2
    assert journal.exists()
    output.unlink()
    assert sweep_beside_renders(settings) == 1
    assert not journal.exists()


def test_files_being_written_stay_and_abandoned_ones_go(settings: Settings) -> None:
    writing = put(settings.compiled_dir / f"{TEMPORARY_PREFIX}1.blob")
    abandoned = put(settings.compiled_dir / f"{TEMPORARY_PREFIX}2.blob", age_days=2)
    assert sweep_beside_renders(settings) == 1
    assert (writing.exists(), abandoned.exists()) == (True, False)


def test_unpacked_archives_go_unless_they_are_being_unpacked(settings: Settings) -> None:
    spool = Spool.of(settings)
    idle, busy = settings.spool_dir / "aa01", settings.spool_dir / "bb02"
    for place in (idle, busy):
        place.mkdir(parents=True)
        (place / "0").write_bytes(b"page")
    with spool.unpacking(busy, threading.Event()):
        assert sweep_beside_renders(settings) == 1
    assert (idle.exists(), busy.exists()) == (False, True)
    assert sweep_beside_renders(settings) == 1
