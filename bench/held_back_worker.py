"""Answers for each model that it is told: what calibration chooses here, and how fast every candidate truly is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from statistics import median

import numpy as np

from enlarger.errors import RuntimeFailedError
from enlarger.models import Graph, load_catalog, prepare
from enlarger.runtimes import UINT8, Runtime, Session, Tile, choose, find_devices, known_runtimes
from enlarger.settings import Settings

_SIDE_PX = 256


def main(folder: str, rounds: str) -> None:
    """One line in, one line out, until stdin ends."""
    settings = Settings(data_dir=Path(folder) / "data", cache_dir=Path(folder) / "cache")
    for line in sys.stdin:
        graph = prepare(load_catalog().choose(line.strip()).variant, settings)
        print(json.dumps(_measured(graph, settings, int(rounds))), flush=True)


def _measured(graph: Graph, settings: Settings, rounds: int) -> dict[str, object]:
    runtimes = known_runtimes(settings)
    chosen = choose(graph, device="auto", precision="auto", settings=settings, runtimes=runtimes)
    return {
        "network": graph.variant.name,
        "speeds": _speeds(graph, runtimes, rounds),
        "chosen": f"{chosen.runtime}:{chosen.device} {chosen.dtype}",
    }


def _speeds(graph: Graph, runtimes: Mapping[str, Runtime], rounds: int) -> dict[str, float]:
    """Turns are fair when something else disturbs the machine; the first warms up."""
    tile = np.random.default_rng(0).integers(0, 256, (_SIDE_PX, _SIDE_PX, 3), np.uint8)
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for device in find_devices("cpu", runtimes):
            for dtype in device.dtypes:
                runtime = runtimes[device.runtime]
                with suppress(RuntimeFailedError):  # held back, OpenVINO still says that the CPU has bf16
                    session = runtime.open(graph, tile=tile.shape[:2], device=device.id, dtype=dtype, pixels=UINT8)
                    sessions[f"{device.full_name} {dtype}"] = stack.enter_context(closing(session))
        turns = [{name: _seconds(session, tile) for name, session in sessions.items()} for _ in range(rounds + 1)]
    return {name: _SIDE_PX**2 / 1e6 / median(turn[name] for turn in turns[1:]) for name in sessions}


def _seconds(session: Session, tile: Tile) -> float:
    started = time.perf_counter()
    list(session.run([tile]))
    return time.perf_counter() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
