"""Compiled graphs on disk: what comes back, what is refused, what is dropped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from enlarger.runtimes.compiled import CompiledGraphs

FACTS = ("digest", (64, 64), "fp32")


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    CompiledGraphs(tmp_path).put(FACTS, b"compiled")
    assert CompiledGraphs(tmp_path).get(FACTS) == b"compiled"


def test_other_facts_are_another_graph(tmp_path: Path) -> None:
    kept = CompiledGraphs(tmp_path)
    kept.put(FACTS, b"compiled")
    assert kept.get(("digest", (64, 65), "fp32")) is None


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_a_shortened_file_is_none(tmp_path: Path, keep: int) -> None:
    kept = CompiledGraphs(tmp_path)
    kept.put(FACTS, b"compiled")
    the_file(tmp_path).write_bytes(the_file(tmp_path).read_bytes()[:keep])
    assert kept.get(FACTS) is None


def test_a_flipped_bit_is_none(tmp_path: Path) -> None:
    kept = CompiledGraphs(tmp_path)
    kept.put(FACTS, b"compiled")
    data = bytearray(the_file(tmp_path).read_bytes())
    data[-3] ^= 1
    the_file(tmp_path).write_bytes(data)
    assert kept.get(FACTS) is None


def test_a_dropped_graph_is_gone(tmp_path: Path) -> None:
    kept = CompiledGraphs(tmp_path)
    kept.put(FACTS, b"compiled")
    kept.drop(FACTS)
    kept.drop(FACTS)
    assert kept.get(FACTS) is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    kept = CompiledGraphs(tmp_path, max_files=2)
    for number in range(2):
        kept.put([number], b"compiled")
    for age, path in enumerate(sorted(tmp_path.iterdir())):
        os.utime(path, (1000 + age, 1000 + age))
    assert kept.get([0]) is not None  # used again
    kept.put([2], b"compiled")
    assert [kept.get([number]) is not None for number in range(3)] == [True, False, True]


def test_the_folder_does_not_outgrow_its_limit(tmp_path: Path) -> None:
    kept = CompiledGraphs(tmp_path, max_bytes=250)
    for number in range(10):
        kept.put([number], bytes(80))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 250
    assert kept.get([9]) is not None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    kept = CompiledGraphs(tmp_path / "file" / "folder")
    kept.put(FACTS, b"compiled")
    assert kept.get(FACTS) is None
