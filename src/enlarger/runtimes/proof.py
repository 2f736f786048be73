"""What is truly in use, proven by a run: every device computes a tile in each arithmetic that it says it has."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from enlarger.models import proof_graph
from enlarger.runtimes.calibration import Candidate, Measurement, calibrate
from enlarger.runtimes.session import Runtime

MIN_PROOF_DB = 40.0  # below, a device computes something else; the promise of "auto" is stricter
_BUDGET_S = 3.0  # a device


def prove(runtimes: Mapping[str, Runtime]) -> tuple[Measurement, ...]:
    """One measurement a device and arithmetic, GPUs that the CPU plays included; never raises for a device that fails.

    The network is a small one of our own, so no weights are needed.
    """
    devices = [device for runtime in runtimes.values() for device in runtime.devices()]
    trials = [(runtimes[device.runtime], Candidate.on(device, dtype)) for device in devices for dtype in device.dtypes]
    if not trials:
        return ()
    with tempfile.TemporaryDirectory(prefix="enlarger-", ignore_cleanup_errors=True) as folder:
        graph = proof_graph(Path(folder))
        return calibrate(graph, trials, card="", budget_s=_BUDGET_S * len(devices)).measurements


def is_proven(measurement: Measurement) -> bool:
    """Whether it computed, and what the others compute."""
    return not measurement.problem and measurement.psnr_db >= MIN_PROOF_DB
