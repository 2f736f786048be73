"""Cores and memory as cgroups of both versions limit them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from enlarger.runtimes import allowed_cores, allowed_memory_bytes

GIB = 1024**3


@pytest.fixture
def group(tmp_path: Path):
    """Write `{file: text}` below a cgroup root, and say which groups the process is in."""

    def make(own: str, files: dict[str, str]) -> dict[str, Path]:
        root = tmp_path / "cgroup"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (tmp_path / "own").write_text(own)
        return {"root": root, "own": tmp_path / "own"}

    return make


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)), raising=False)


def test_without_cgroups_the_machine_counts(tmp_path: Path) -> None:
    nowhere = {"root": tmp_path / "none", "own": tmp_path / "none"}
    assert allowed_cores(**nowhere) == 16
    assert allowed_memory_bytes(**nowhere) == psutil.virtual_memory().total


def test_version_2_limits(group) -> None:
    tree = group("0::/box\n", {"box/cpu.max": "250000 100000\n", "box/memory.max": f"{GIB}\n"})
    assert allowed_cores(**tree) == 3
    assert allowed_memory_bytes(**tree) == GIB


def test_a_limit_above_the_own_group_counts(group) -> None:
    tree = group(
        "0::/slice/box\n",
        {"slice/cpu.max": "100000 100000", "slice/memory.max": str(GIB), "slice/box/cpu.max": "max 100000"},
    )
    assert allowed_cores(**tree) == 1
    assert allowed_memory_bytes(**tree) == GIB


def test_a_container_sees_its_own_group_as_the_root(group) -> None:
    tree = group("0::/\n", {"cpu.max": "50000 100000", "memory.max": str(GIB)})
    assert allowed_cores(**tree) == 1
    assert allowed_memory_bytes(**tree) == GIB


def test_no_limit_is_no_limit(group) -> None:
    tree = group("0::/box\n", {"box/cpu.max": "max 100000\n", "box/memory.max": "max\n"})
    assert allowed_cores(**tree) == 16
    assert allowed_memory_bytes(**tree) == psutil.virtual_memory().total


def test_version_1_limits(group) -> None:
    tree = group(
        "4:cpu,cpuacct:/box\n7:memory:/box\n",
        {
            "cpu/box/cpu.cfs_quota_us": "400000",
            "cpu/box/cpu.cfs_period_us": "100000",
            "memory/box/memory.limit_in_bytes": str(GIB),
        },
    )
    assert allowed_cores(**tree) == 4
    assert allowed_memory_bytes(**tree) == GIB


def test_version_1_without_limits(group) -> None:
    tree = group(
        "4:cpu,cpuacct:/\n7:memory:/\n",
        {
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    assert allowed_cores(**tree) == 16
    assert allowed_memory_bytes(**tree) == psutil.virtual_memory().total
