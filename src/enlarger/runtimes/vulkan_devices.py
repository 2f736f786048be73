"""Which Vulkan devices there are and can be trusted: found out by a child process, remembered for a day."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from enlarger.errors import StorageError
from enlarger.messages import Message, msg
from enlarger.runtimes.interpreter import run_module
from enlarger.runtimes.library_version import library_version
from enlarger.storage import one_at_a_time, write_atomic

Problem: TypeAlias = Literal["", "crashed", "silent", "wrong", "unstarted"]

FILE_NAME = "vulkan.json"
_TIMEOUT_S = 60.0  # of one child: the slowest driver that works takes a few
_KEPT_S = 24 * 3600.0  # a driver may be installed without a file that is looked at here
_FAILED_KEPT_S = 600.0  # where a child told nothing: often for want of time or memory
_MOST_CHILDREN = 8
_CRASHED: Problem = "crashed"
_SILENT: Problem = "silent"
_UNSTARTED: Problem = "unstarted"
_DRIVERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/dev/dri")


@dataclass(frozen=True)
class VulkanDevice:
    """One device as ncnn numbers it. problem: why it cannot be used; "" where it can: see `explained`."""

    index: int
    name: str
    software: bool
    memory_bytes: int = 0
    fp16: bool = False
    problem: Problem = ""


@dataclass(frozen=True)
class VulkanLook:
    """What children told. problem: why not even how many devices there are; "" where that is known."""

    devices: tuple[VulkanDevice, ...]
    problem: Problem = ""


@dataclass(frozen=True)
class _Remembered:
    fingerprint: str
    at: float  # Unix seconds
    look: VulkanLook


RunProbe: TypeAlias = Callable[[Sequence[int]], tuple[str, Problem]]
"""Runs the child, which skips these indexes: what it wrote, and why it ended too early ("" when it did not)."""

_MEMORY: TypeAdapter[_Remembered] = TypeAdapter(_Remembered)
_in_process: dict[Path, _Remembered] = {}
_lock = threading.Lock()


class VulkanDevices:
    """Looks once a day, or when a driver came or went; several processes wait for the one that looks."""

    def __init__(self, folder: Path, *, run_probe: RunProbe | None = None) -> None:
        self._path = folder / FILE_NAME
        self._run_probe = run_probe or run_child

    def find(self, *, anew: bool = False) -> tuple[VulkanDevice, ...]:
        """All devices, those with a problem too. `anew`: look again, whatever is remembered."""
        return self.look(anew=anew).devices

    def look(self, *, anew: bool = False) -> VulkanLook:
        """The same, and why nothing could be found out where that is so; then it is tried again after ten minutes."""
        print_ = fingerprint()
        with _lock:
            known = None if anew else self._known(print_)
            if known is None:
                known = self._look(print_, anew=anew)
            _in_process[self._path] = known
            return known.look

    def _known(self, print_: str) -> _Remembered | None:
        known = _in_process.get(self._path) or self._read()
        if known is None or known.fingerprint != print_:
            return None
        kept_s = _FAILED_KEPT_S if known.look.problem else _KEPT_S
        return known if 0 <= time.time() - known.at < kept_s else None

    def _look(self, print_: str, *, anew: bool) -> _Remembered:
        try:
            with one_at_a_time(self._path):
                known = None if anew else self._read_fitting(print_)
                if known is None:
                    known = _Remembered(print_, time.time(), probed(self._run_probe))
                    if known.look.problem != _UNSTARTED:  # which says something of this process alone
                        write_atomic(self._path, _MEMORY.dump_json(known, indent=2))
                return known
        except StorageError:  # nothing can be kept there: this process remembers
            return _Remembered(print_, time.time(), probed(self._run_probe))

    def _read_fitting(self, print_: str) -> _Remembered | None:
        _in_process.pop(self._path, None)
        return self._known(print_)

    def _read(self) -> _Remembered | None:
        with suppress(OSError, ValidationError):
            return _MEMORY.validate_json(self._path.read_bytes())
        return None


def probed(run_probe: RunProbe) -> VulkanLook:
    """What children tell: after one that a device took down, another one tries those behind it."""
    devices: dict[int, VulkanDevice] = {}
    done: list[int] = []
    for _ in range(_MOST_CHILDREN):
        output, early_end = run_probe(done)
        lines = list(_lines(output))
        if early_end and not lines and not devices:
            return VulkanLook((), early_end)
        testing = None
        for line in lines:
            testing = _heed(line, devices, done, testing)
        if testing is None:
            break
        devices[testing] = replace(devices[testing], problem=early_end or _CRASHED)
        done.append(testing)
    left = [replace(each, problem=early_end or _SILENT) for each in devices.values() if each.index not in done]
    devices.update((each.index, each) for each in left)
    return VulkanLook(tuple(sorted(devices.values(), key=_index)))


def _index(device: VulkanDevice) -> int:
    return device.index


def _heed(line: dict[str, Any], devices: dict[int, VulkanDevice], done: list[int], testing: int | None) -> int | None:
    """Keep what one line says; the device that is being tried now."""
    for each in line.get("found", ()):
        devices.setdefault(each["index"], VulkanDevice(**each))
    if "tested" in line:
        index = line["tested"]
        told = {key: line[key] for key in ("problem", "fp16", "memory_bytes") if key in line}
        devices[index] = replace(devices[index], **told)
        done.append(index)
        return None
    found: int | None = line.get("testing", testing)
    return found


def _lines(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        with suppress(ValueError):  # whatever a driver has to say
            value = json.loads(line)
            if isinstance(value, dict):
                yield value


def run_child(skipped: Sequence[int]) -> tuple[str, Problem]:
    """The probe in a new process."""
    try:
        ended = run_module("enlarger.runtimes.vulkan_probe", *map(str, skipped), timeout_s=_TIMEOUT_S)
    except subprocess.TimeoutExpired as silent:
        return _text(silent.stdout), _SILENT
    except OSError:
        return "", _UNSTARTED
    return _text(ended.stdout), "" if ended.returncode == 0 else _CRASHED


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def fingerprint() -> str:
    """Changes when ncnn, the system, a driver's entry or what the environment says about Vulkan does."""
    chosen = sorted((name, value) for name, value in os.environ.items() if name.startswith(("VK_", "DRI_", "MESA_")))
    facts = [library_version("ncnn"), platform.system(), platform.release(), chosen, sorted(_driver_stamps())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _driver_stamps() -> Iterator[tuple[str, int]]:
    for folder in map(Path, _DRIVERS):
        with suppress(OSError):
            for entry in folder.iterdir():
                yield str(entry), entry.stat().st_mtime_ns if entry.suffix == ".json" else 0


def explained(problem: Problem) -> Message:
    """Why a device cannot be used, for people."""
    reasons: dict[Problem, Message] = {
        "wrong": msg("it computes something else than the CPU"),
        "silent": msg("its driver did not answer"),
        "unstarted": msg("no process could be started to try its driver"),
    }
    return reasons.get(problem, msg("its driver crashed"))
