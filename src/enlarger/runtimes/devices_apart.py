"""The devices of this machine as a child process finds them: a server that only asks loads no heavy library."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from enlarger.runtimes.interpreter import run_module
from enlarger.runtimes.session import Device
from enlarger.settings import Settings

_TIMEOUT_S = 120.0
_DEVICES: TypeAdapter[tuple[Device, ...]] = TypeAdapter(tuple[Device, ...])
_NONE_KEPT_S = 60.0  # that there is none at all: no child could tell
_lock = threading.Lock()


@dataclass(frozen=True)
class _Told:
    devices: tuple[Device, ...]
    at: float  # on the monotonic clock

    def answers(self, asked_at: float, *, anew: bool) -> bool:
        """Whoever waited while a child was asked takes what it told, even who asks for a new look."""
        is_kept = bool(self.devices) or time.monotonic() - self.at < _NONE_KEPT_S
        return self.at > asked_at or (is_kept and not anew)


_known: dict[tuple[Path, bool], _Told] = {}


def list_devices_apart(settings: Settings, *, anew: bool = False) -> tuple[Device, ...]:
    """As `list_devices`, remembered until the process ends or `anew`; nothing where no child tells.

    Takes seconds, and a child hangs for two minutes at most; whoever asks meanwhile waits for the same answer.
    """
    key, asked_at = (settings.data_dir, settings.vulkan), time.monotonic()
    with _lock:
        told = _known.get(key)
        if told is None or not told.answers(asked_at, anew=anew):
            told = _known[key] = _Told(_asked(settings), time.monotonic())
        return told.devices


def _asked(settings: Settings) -> tuple[Device, ...]:
    told = {"ENLARGER_DATA_DIR": str(settings.data_dir), "ENLARGER_VULKAN": str(int(settings.vulkan))}
    try:
        done = run_module("enlarger.runtimes.devices_apart", timeout_s=_TIMEOUT_S, environment=told)
        return _DEVICES.validate_json(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, IndexError, ValidationError):
        return ()


def main() -> None:
    """Tell them in one line of JSON."""
    from enlarger.runtimes.devices import list_devices

    sys.stdout.write(_DEVICES.dump_json(list_devices(Settings())).decode() + "\n")


if __name__ == "__main__":
    main()
