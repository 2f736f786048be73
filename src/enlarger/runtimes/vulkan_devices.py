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

Problem: TypeAlias = Literal["", "crashed", "silent", "wrong"]

FILE_NAME = "vulkan.json"
_TIMEOUT_S = 60.0  # of one child: the slowest driver that works takes a few
_KEPT_S = 24 * 3600.0  # a driver may be installed without a file that is looked at here
_MOST_CHILDREN = 8
_CRASHED: Problem = "crashed"
_SILENT: Problem = "silent"
_DRIVERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/dev/dri")


@dataclass(frozen=True)
class VulkanDevice:
    """One device as ncnn numbers it. problem: why it cannot be used; "" where it can: see `explained`."""

    index: int
    name: str
    software: bool
    memory_bytes: int
    fp16: bool = False
    problem: Problem = ""


@dataclass(frozen=True)
class _Remembered:
    fingerprint: str
    at: float  # Unix seconds
    devices: tuple[VulkanDevice, ...]


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
        print_ = fingerprint()
        with _lock:
            known = None if anew else self._known(print_)
            if known is None:
                known = self._look(print_, anew=anew)
            _in_process[self._path] = known
            return known.devices

    def _known(self, print_: str) -> _Remembered | None:
        known = _in_process.get(self._path) or self._read()
        fits = known is not None and known.fingerprint == print_ and 0 <= time.time() - known.at < _KEPT_S
        return known if fits else None

    def _look(self, print_: str, *, anew: bool) -> _Remembered:
        try:
            with one_at_a_time(self._path):
                known = None if anew else self._read_fitting(print_)
                if known is None:
                    known = _Remembered(print_, time.time(), probed(self._run_probe))
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


def probed(run_probe: RunProbe) -> tuple[VulkanDevice, ...]:
    """What children tell: after one that a device took down, another one tries those behind it."""
    devices: dict[int, VulkanDevice] = {}
    done: list[int] = []
    for _ in range(_MOST_CHILDREN):
        output, early_end = run_probe(done)
        testing = None
        for line in _lines(output):
            testing = _heed(line, devices, done, testing)
        if testing is None:
            break
        devices[testing] = replace(devices[testing], problem=early_end or _CRASHED)
        done.append(testing)
    return tuple(
        each if each.index in done else replace(each, problem=_SILENT) for each in sorted(devices.values(), key=_index)
    )


def _index(device: VulkanDevice) -> int:
    return device.index


def _heed(line: dict[str, Any], devices: dict[int, VulkanDevice], done: list[int], testing: int | None) -> int | None:
    """Keep what one line says; the device that is being tried now."""
    for each in line.get("found", ()):
        devices.setdefault(each["index"], VulkanDevice(**each))
    if "tested" in line:
        index = line["tested"]
        devices[index] = replace(devices[index], problem=line["problem"], fp16=line.get("fp16", False))
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
        return "", _SILENT
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
    if problem == "wrong":
        return msg("it computes something else than the CPU")
    return msg("its driver did not answer") if problem == "silent" else msg("its driver crashed")
