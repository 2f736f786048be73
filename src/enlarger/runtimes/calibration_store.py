"""What was measured on this machine, remembered in one JSON file until the machine or a runtime changes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from enlarger.errors import StorageError
from enlarger.runtimes.calibration import Calibration
from enlarger.storage import write_atomic

FILE_NAME = "calibration.json"
_write_lock = threading.Lock()


@dataclass(frozen=True)
class Machine:
    """What a measurement depends on; another processor, quota or runtime version is another machine."""

    cpu: str
    features: tuple[str, ...]
    threads: int
    runtimes: Mapping[str, str]  # name: version
    limits: tuple[str, ...] = ()  # what holds a runtime below what the processor can: "ONEDNN_MAX_CPU_ISA=AVX2"

    @property
    def fingerprint(self) -> str:
        """Short, and the same for equal facts."""
        facts: list[object] = [self.cpu, self.features, self.threads, sorted(self.runtimes.items())]
        facts += [self.limits] if self.limits else []  # without any it is called as it always was
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Remembered:
    """One machine's calibrations, by network."""

    machine: Machine
    networks: dict[str, Calibration] = field(default_factory=dict)


_FILE: TypeAdapter[dict[str, Remembered]] = TypeAdapter(dict[str, Remembered])


class CalibrationStore:
    """The calibrations of one machine in `path`; others that share the folder keep theirs."""

    def __init__(self, path: Path, machine: Machine) -> None:
        self._path = path
        self._machine = machine

    def get(self, network: str) -> Calibration | None:
        """What is remembered for `network` on this machine."""
        return self.all().get(network)

    def all(self) -> Mapping[str, Calibration]:
        """Everything remembered for this machine, by network."""
        found = self._read().get(self._machine.fingerprint)
        return found.networks if found else {}

    def put(self, calibration: Calibration) -> None:
        """Remember; a folder that cannot be written only means to measure again the next time."""
        key = self._machine.fingerprint
        with _write_lock, suppress(StorageError):
            machines = self._read()
            known = machines.get(key, Remembered(self._machine))
            machines[key] = replace(known, networks={**known.networks, calibration.network: calibration})
            write_atomic(self._path, _FILE.dump_json(machines, indent=2))

    def _read(self) -> dict[str, Remembered]:
        """Nothing, for a file that is missing, broken or of another version: measuring again is cheap."""
        with suppress(OSError, ValidationError):
            return _FILE.validate_json(self._path.read_bytes())
        return {}
