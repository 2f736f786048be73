"""The devices of this machine as a child process finds them: a server that only asks loads no heavy library."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from enlarger.runtimes.interpreter import run_module
from enlarger.runtimes.session import Device
from enlarger.settings import Settings

_TIMEOUT_S = 120.0
_DEVICES: TypeAdapter[tuple[Device, ...]] = TypeAdapter(tuple[Device, ...])
_known: dict[tuple[Path, bool], tuple[Device, ...]] = {}
_lock = threading.Lock()


def list_devices_apart(settings: Settings, *, anew: bool = False) -> tuple[Device, ...]:
    """As `list_devices`, remembered until the process ends or `anew`; nothing where no child tells. Takes seconds."""
    key = (settings.data_dir, settings.vulkan)
    with _lock:
        if anew or not _known.get(key):
            _known[key] = _asked(settings)
        return _known[key]


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
