"""The process that holds sr_vulkan: paths of pictures on stdin, bytes of the result (or a complaint) on stdout."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

_POLL_S = 0.002
_CPU = -1
_PATIENCE_S = 600.0


def main(variant: str, scale: str, threads: str) -> None:
    """Enlarge each picture named on stdin with one model."""
    from sr_vulkan import sr_vulkan as engine

    engine.init()  # complains where there is no Vulkan; CPU mode needs none
    if engine.initSet(_CPU, int(threads)) != 0:
        sys.exit(f"initSet: {engine.getLastError()}")
    model = getattr(engine, variant)
    for number, line in enumerate(sys.stdin, start=1):
        data = Path(line.rstrip("\n")).read_bytes()
        if engine.add(data, model, number, float(scale), format="webp") <= 0:
            print(f"add: {engine.getLastError()}", flush=True)
        else:
            print(_result(engine), flush=True)


def _result(engine: Any) -> str:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        found = engine.load(0)
        if found:
            return str(len(found[0])) if found[0] else "gave no picture"
        time.sleep(_POLL_S)
    return "gave no picture in time"


if __name__ == "__main__":
    main(*sys.argv[1:])
