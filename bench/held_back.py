"""OpenVINO held to AVX2, as on most laptops: whether calibration then picks the runtime that is faster there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.child import Child

MODELS = ("waifu2x-cunet", "realesr-animevideov3")
ENVIRONMENT = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ENLARGER_VULKAN": "0"}  # ncnn's own kernels keep what the CPU has


@dataclass(frozen=True)
class HeldBack:
    """Megapixels a second of each runtime and arithmetic, timed beside the calibration, and what that chose."""

    network: str
    speeds: Mapping[str, float]  # "ncnn:cpu fp32": of what enters the network
    chosen: str

    @property
    def ratio(self) -> float:
        """How the chosen one does against the best of the others."""
        others = [speed for name, speed in self.speeds.items() if name != self.chosen]
        return self.speeds[self.chosen] / max(others)


def measure(scratch: Path, rounds: int, say: Callable[[str], None]) -> list[HeldBack]:
    """In a process of its own, in which nothing was calibrated before; raises PeerError."""
    found = []
    with Child("bench.held_back_worker", [str(scratch / "held-back"), str(rounds)], ENVIRONMENT) as child:
        for model in MODELS:
            answer = json.loads(child.ask(model))
            found.append(HeldBack(answer["network"], answer["speeds"], answer["chosen"]))
            say(f"  {found[-1].network} under AVX2: {found[-1].chosen}, {found[-1].ratio:.2f} times the next")
    return found
