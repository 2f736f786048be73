"""OpenVINO on CPUs, Intel GPUs and NPUs: static shapes, half precision where it is there, compiled graphs kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from enlarger.models import Graph
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.hardware import bf16_is_allowed
from enlarger.runtimes.library_version import library_version
from enlarger.runtimes.openvino_graph import WHOLE, GraphPart, count_poolings, read_graph
from enlarger.runtimes.openvino_library import core
from enlarger.runtimes.openvino_session import NAME, OpenVinoSession, mapped_errors
from enlarger.runtimes.pooling_grid import pooling_grids
from enlarger.runtimes.session import BF16, FP16, FP32, Device, Kind, SessionSpec

_CPU = "CPU"
_CALLS_IN_FLIGHT = 2  # while one call's results are taken away, the next one is computed
_GRAPH_FORM = 2  # raise when `read_graph` or `_config` change what a compiled graph does
_PRECISIONS = {FP32: "f32", BF16: "bf16", FP16: "f16"}
_KINDS: Mapping[str, Kind] = {"CPU": "cpu", "GPU": "gpu", "NPU": "npu"}
_DTYPES: Mapping[str, Mapping[str, str]] = {  # by kind: what a capability means; a CPU emulates FP16, slowly
    "cpu": {"FP32": FP32, "BF16": BF16},
    "gpu": {"FP32": FP32, "FP16": FP16},
    "npu": {"FP16": FP16},
}


class OpenVinoRuntime:
    """Sessions on whatever OpenVINO has a plugin for. `threads` 0: all cores that the process may use.

    core: gives OpenVINO's openvino.Core.
    """

    name = NAME
    calibrates = True

    def __init__(
        self, *, threads: int = 0, compiled: CompiledGraphs | None = None, core: Callable[[], Any] = core
    ) -> None:
        self._threads = threads
        self._compiled = compiled
        self._core = core

    @property
    def version(self) -> str:
        """Of the installed package, or ""."""
        return library_version(NAME)

    def devices(self) -> Sequence[Device]:
        """As OpenVINO lists them, each with the arithmetic that it says the device has; the CPU first."""
        try:
            names = sorted(self._core().available_devices, key=lambda name: (not name.startswith(_CPU), name))
        except (ImportError, OSError, RuntimeError):  # not installed, or a library that it needs is missing
            return ()
        return tuple(device for name in names for device in self._device(name))

    def _device(self, name: str) -> Iterator[Device]:
        kind = _KINDS.get(name.partition(".")[0])
        if kind is None:
            return
        with suppress(RuntimeError):  # listed, and yet it does not answer: no driver
            able, known = self._able(name), _DTYPES[kind]
            dtypes = tuple(dtype for capability, dtype in known.items() if capability in able)
            full_name = str(self._core().get_property(name, "FULL_DEVICE_NAME"))
            if dtypes:
                memory_bytes = self._memory_bytes(name) if kind == "gpu" else 0
                yield Device(self.name, device_id(name), full_name, dtypes, kind, memory_bytes=memory_bytes)

    def _able(self, name: str) -> Sequence[str]:
        """What OpenVINO says, less what it could not compile: it goes by the processor, not by what it is held to."""
        able = set(self._core().get_property(name, "OPTIMIZATION_CAPABILITIES"))
        return tuple(sorted(able if name != _CPU or bf16_is_allowed() else able - {"BF16"}))

    def _memory_bytes(self, name: str) -> int:
        with suppress(RuntimeError, TypeError, ValueError):  # an older driver does not tell
            return int(self._core().get_property(name, "GPU_DEVICE_TOTAL_MEM_SIZE"))
        return 0

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
            *self._able(openvino_name(spec.device)),
            spec,
            part,
            sorted(self._config(spec).items()),
        )
        known = self._load(facts, spec)
        if known is not None:
            return known
        model = read_graph(graph.path, tile=spec.tile, pixels=spec.pixels, part=part, batch=spec.batch)
        poolings = count_poolings(model)
        compiled = self._core().compile_model(model, openvino_name(spec.device), self._config(spec))
        if self._compiled is not None:
            self._compiled.put(facts, bytes([poolings]) + _exported(compiled))
        return compiled, poolings

    def _load(self, facts: tuple[object, ...], spec: SessionSpec) -> tuple[Any, int] | None:
        blob = self._compiled.get(facts) if self._compiled is not None else None
        if self._compiled is None or not blob:
            return None
        try:
            stored, name = io.BytesIO(blob[1:]), openvino_name(spec.device)
            return self._core().import_model(stored, name, self._config(spec)), blob[0]
        except RuntimeError:  # whole, but not to this OpenVINO's liking: compile again
            self._compiled.drop(facts)
            return None

    def _config(self, spec: SessionSpec) -> dict[str, object]:
        """On the CPU one stream on all cores: as fast as a stream a core, at a fraction of the memory.

        Threads are not pinned, because decoding and encoding threads of the same process run beside them.
        """
        hints: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": _PRECISIONS[spec.dtype],
            "PERFORMANCE_HINT": "LATENCY",
        }
        if openvino_name(spec.device) != _CPU:
            return hints
        return hints | {
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": self._threads or allowed_cores(),
            "ENABLE_CPU_PINNING": False,
        }


def device_id(name: str) -> str:
    """OpenVINO's "GPU.1" as devices are called here: "gpu:1"."""
    return name.lower().replace(".", ":")


def openvino_name(device: str) -> str:
    """The reverse of `device_id`."""
    return device.upper().replace(":", ".")


def _exported(compiled: Any) -> bytes:
    blob: bytes = compiled.export_model().getvalue()
    return blob
