"""What the figures were taken on: without it they mean nothing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from enlarger import __version__
from enlarger.runtimes import allowed_cores, allowed_memory_bytes, cpu_features, cpu_name

_PACKAGES = ("openvino", "ncnn", "onnxruntime", "torch", "sr-vulkan", "numpy", "pillow")


@dataclass(frozen=True)
class Machine:
    """A machine on a day. `load` is the system's one-minute load before anything ran."""

    cpu: str
    features: tuple[str, ...]
    cores: int
    memory_bytes: int
    system: str
    python: str
    versions: tuple[str, ...]
    day: str
    load: float | None


def this_machine() -> Machine:
    """As it is now."""
    return Machine(
        cpu=cpu_name(),
        features=cpu_features(),
        cores=allowed_cores(),
        memory_bytes=allowed_memory_bytes(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        versions=(f"enlarger {__version__}", *(f"{name} {_version(name)}" for name in _PACKAGES)),
        day=datetime.now(UTC).date().isoformat(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not here"
