"""What this process may use of the machine: cores by affinity and quota, memory by the container's limit."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def allowed_cores(*, root: Path = _CGROUP_ROOT, own: Path = _OWN_CGROUPS) -> int:
    """Cores by the scheduler's affinity, or fewer where a cgroup (v1 or v2) has a quota; at least 1."""
    quotas = [_quota_v2(folder) for folder in _folders(root, own, "")]
    quotas += [_quota_v1(folder) for folder in _folders(root, own, "cpu")]
    return max(1, min([_affinity(), *(math.ceil(quota) for quota in quotas if quota is not None)]))


def allowed_memory_bytes(*, root: Path = _CGROUP_ROOT, own: Path = _OWN_CGROUPS) -> int:
    """The machine's memory, or less where a cgroup (v1 or v2) says so."""
    limits = [_number(folder / "memory.max") for folder in _folders(root, own, "")]
    limits += [_number(folder / "memory.limit_in_bytes") for folder in _folders(root, own, "memory")]
    return min([psutil.virtual_memory().total, *(limit for limit in limits if limit is not None)])


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS has no affinity


def _folders(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """The process's own group and all above it; a container sees its group mounted as the root itself."""
    base = root / controller
    for path in _own_paths(own, controller):
        folder = base / path.lstrip("/")
        while folder != base and base in folder.parents:
            yield folder
            folder = folder.parent
    yield base


def _own_paths(own: Path, controller: str) -> Iterator[str]:
    """Lines are `id:controllers:path`; v2 has the id 0 and no controllers."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _id, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                yield path


def _quota_v2(folder: Path) -> float | None:
    words = _text(folder / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and period and quota > 0 else None


def _number(path: Path) -> int | None:
    """None for a file that is not there or says "max"."""
    with suppress(ValueError):
        return int(_text(path))
    return None


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
