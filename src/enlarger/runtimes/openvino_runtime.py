"""OpenVINO on the CPU: static shapes, bf16 where the CPU has it, compiled graphs kept on disk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from enlarger.models import Graph
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.library_version import library_version
from enlarger.runtimes.openvino_graph import WHOLE, GraphPart, count_poolings, read_graph
from enlarger.runtimes.openvino_library import core
from enlarger.runtimes.openvino_session import NAME, OpenVinoSession, mapped_errors
from enlarger.runtimes.pooling_grid import pooling_grids
from enlarger.runtimes.session import BF16, FP32, Device, SessionSpec

_CPU = "CPU"
_CALLS_IN_FLIGHT = 2  # while one call's results are taken away, the next one is computed
_GRAPH_FORM = 2  # raise when `read_graph` or `_config` change what a compiled graph does
_PRECISIONS = {FP32: "f32", BF16: "bf16"}


class OpenVinoRuntime:
    """Sessions on the CPU. `threads` 0: all cores that the process may use."""

    name = NAME
    calibrates = True

    def __init__(self, *, threads: int = 0, compiled: CompiledGraphs | None = None) -> None:
        self._threads = threads
        self._compiled = compiled

    @property
    def version(self) -> str:
        """Of the installed package, or ""."""
        return library_version(NAME)

    def devices(self) -> Sequence[Device]:
        """The CPU, with bf16 only where OpenVINO says that this CPU has it."""
        try:
            name, dtypes = str(core().get_property(_CPU, "FULL_DEVICE_NAME")), _dtypes()
        except (ImportError, OSError, RuntimeError):  # not installed, or a library that it needs is missing
            return ()
        return (Device(self.name, "cpu", name, dtypes),)

    def supports(self, graph: Graph) -> bool:  # noqa: ARG002 - the protocol's signature
        """Every graph of Enlarger."""
        return True

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> OpenVinoSession:
        """A session, from the compiled graph on disk if there is one (0.05 s instead of 0.25 s for cunet)."""
        scale, border = graph.variant.scale, graph.variant.border
        in_flight = _CALLS_IN_FLIGHT * batch
        spec = SessionSpec(self.name, device, dtype, pixels, tile, scale, border, in_flight=in_flight, batch=batch)
        with mapped_errors(spec):
            whole, poolings = self._compile(graph, spec, WHOLE)
        return OpenVinoSession(
            replace(spec, poolings=poolings),
            whole,
            compile_part=lambda part: self._compile(graph, spec, part)[0],
            grids=lambda: pooling_grids(graph.path),
        )

    def _compile(self, graph: Graph, spec: SessionSpec, part: GraphPart) -> tuple[Any, int]:
        """The part compiled, and how many poolings it computes."""
        facts = (
            graph.digest,
            _GRAPH_FORM,
            self.version,
            *_capabilities(),
            spec,
            part,
            sorted(self._config(spec.dtype).items()),
        )
        known = self._load(facts, spec)
        if known is not None:
            return known
        model = read_graph(graph.path, tile=spec.tile, pixels=spec.pixels, part=part, batch=spec.batch)
        poolings = count_poolings(model)
        compiled = core().compile_model(model, _CPU, self._config(spec.dtype))
        if self._compiled is not None:
            self._compiled.put(facts, bytes([poolings]) + _exported(compiled))
        return compiled, poolings

    def _load(self, facts: tuple[object, ...], spec: SessionSpec) -> tuple[Any, int] | None:
        blob = self._compiled.get(facts) if self._compiled is not None else None
        if self._compiled is None or not blob:
            return None
        try:
            return core().import_model(io.BytesIO(blob[1:]), _CPU, self._config(spec.dtype)), blob[0]
        except RuntimeError:  # whole, but not to this OpenVINO's liking: compile again
            self._compiled.drop(facts)
            return None

    def _config(self, dtype: str) -> dict[str, object]:
        """One stream on all cores: as fast as a stream a core, at a fraction of the memory.

        Threads are not pinned, because decoding and encoding threads of the same process run beside them.
        """
        return {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[dtype],
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": self._threads or allowed_cores(),
            "ENABLE_CPU_PINNING": False,
        }


def _capabilities() -> tuple[str, ...]:
    return tuple(sorted(core().get_property(_CPU, "OPTIMIZATION_CAPABILITIES")))


def _dtypes() -> tuple[str, ...]:
    return (FP32, BF16) if "BF16" in _capabilities() else (FP32,)


def _exported(compiled: Any) -> bytes:
    blob: bytes = compiled.export_model().getvalue()
    return blob
