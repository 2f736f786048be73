"""The one place that imports OpenVINO: once a process, and so that it sends nothing.

`import openvino` (2026.4) imports openvino-telemetry, which forks a process that reports to an analytics service
unless a file in the user's home says otherwise. OpenVINO works without that package: when it cannot be imported,
OpenVINO takes a stub of its own. So it is made impossible to import first.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import Any

_TELEMETRY = "openvino_telemetry"
_lock = threading.Lock()


def openvino() -> Any:
    """The module; raises ImportError or OSError where it is not installed or cannot be loaded."""
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]  # None: "import of … halted", see importlib
    import openvino
    import openvino.opset13
    import openvino.preprocess

    return openvino


def core() -> Any:
    """The one openvino.Core: another one would load every plugin again. Raises as `openvino` and RuntimeError."""
    with _lock:
        return _make_core()


@cache
def _make_core() -> Any:
    return openvino().Core()
