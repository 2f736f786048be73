"""OpenVINO on the CPU: static shapes, bf16 where the CPU has it, compiled graphs kept on disk."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from enlarger.cancel import CancelToken
from enlarger.errors import EnlargerError, OutOfMemoryError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.openvino_graph import read_graph
from enlarger.runtimes.openvino_library import core, openvino
from enlarger.runtimes.session import BF16, FP32, Device, GraphLike, SessionSpec, Tile, check_open, checked_tiles

NAME = "openvino"
_CPU = "CPU"
_IN_FLIGHT = 2  # while one tile's result is taken away, the next one is computed
_GRAPH_FORM = 1  # raise when `read_graph` or `_config` change what a compiled graph does
_PRECISIONS = {FP32: "f32", BF16: "bf16"}
_OUT_OF_MEMORY = ("bad_alloc", "cannot allocate", "out of memory", "failed to allocate", "could not allocate")


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
        try:
            return metadata.version(NAME)
        except metadata.PackageNotFoundError:
            return ""

    def devices(self) -> Sequence[Device]:
        """The CPU, with bf16 only where OpenVINO says that this CPU has it."""
        try:
            name, dtypes = str(core().get_property(_CPU, "FULL_DEVICE_NAME")), _dtypes()
        except (ImportError, OSError, RuntimeError):  # not installed, or a library that it needs is missing
            return ()
        return (Device(self.name, "cpu", name, dtypes),)

    def supports(self, graph: GraphLike) -> bool:  # noqa: ARG002 - the protocol's signature
        """Every graph of Enlarger."""
        return True

    def open(self, graph: GraphLike, *, tile: tuple[int, int], device: str, dtype: str, pixels: str) -> OpenVinoSession:
        """A session, from the compiled graph on disk if there is one (0.05 s instead of 0.25 s for cunet)."""
        variant = graph.variant
        spec = SessionSpec(self.name, device, dtype, pixels, tile, variant.scale, variant.border, in_flight=_IN_FLIGHT)
        with _mapped_errors(spec):
            return OpenVinoSession(spec, self._compile(graph, spec))

    def _compile(self, graph: GraphLike, spec: SessionSpec) -> Any:
        facts = (
            graph.digest,
            _GRAPH_FORM,
            self.version,
            *_capabilities(),
            spec,
            sorted(self._config(spec.dtype).items()),
        )
        compiled = self._load(facts, spec)
        if compiled is None:
            model = read_graph(graph.path, tile=spec.tile, pixels=spec.pixels)
            compiled = core().compile_model(model, _CPU, self._config(spec.dtype))
            if self._compiled is not None:
                self._compiled.put(facts, _exported(compiled))
        return compiled

    def _load(self, facts: tuple[object, ...], spec: SessionSpec) -> Any:
        blob = self._compiled.get(facts) if self._compiled is not None else None
        if self._compiled is None or blob is None:
            return None
        try:
            return core().import_model(io.BytesIO(blob), _CPU, self._config(spec.dtype))
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


@dataclass(frozen=True)
class _Pending:
    """A tile being computed. It owns both arrays: OpenVINO only borrows their memory."""

    request: Any
    tile: Tile
    result: Tile

    def wait(self) -> Tile:
        self.request.wait()  # gives up the interpreter's lock meanwhile
        return self.result

    def abandon(self) -> None:
        """Stop early; return only when OpenVINO no longer writes into `result`."""
        with suppress(RuntimeError):
            self.request.cancel()
            self.request.wait()


class OpenVinoSession:
    """One compiled graph; every run has requests of its own."""

    def __init__(self, spec: SessionSpec, compiled: Any) -> None:
        self.spec = spec
        self._compiled = compiled

    def run(self, tiles: Iterable[Tile], *, cancel: CancelToken | None = None) -> Iterator[Tile]:
        """As Session.run; tile and result are used in place, never copied."""
        check_open(self.spec, self._compiled is None)
        return self._results(checked_tiles(self.spec, tiles, cancel), self._compiled)

    def close(self) -> None:
        """The memory goes when the last run has ended."""
        self._compiled = None

    def _results(self, tiles: Iterator[Tile], compiled: Any) -> Iterator[Tile]:
        pending: deque[_Pending] = deque()
        with _mapped_errors(self.spec):
            idle = [compiled.create_infer_request() for _ in range(self.spec.in_flight)]
        try:
            for tile in tiles:
                pending.append(self._start(idle.pop(), tile))
                if not idle:
                    yield self._finish(pending, idle)
            while pending:
                yield self._finish(pending, idle)
        finally:
            for abandoned in pending:
                abandoned.abandon()

    def _start(self, request: Any, tile: Tile) -> _Pending:
        tensor = openvino().Tensor
        pending = _Pending(request, tile, np.empty(self.spec.result, np.dtype(self.spec.pixels)))
        with _mapped_errors(self.spec):
            request.set_input_tensor(tensor(tile[np.newaxis], shared_memory=True))
            request.set_output_tensor(tensor(pending.result[np.newaxis], shared_memory=True))
            request.start_async()
        return pending

    def _finish(self, pending: deque[_Pending], idle: list[Any]) -> Tile:
        with _mapped_errors(self.spec):
            result = pending[0].wait()
        idle.append(pending.popleft().request)
        return result


@contextmanager
def _mapped_errors(spec: SessionSpec) -> Iterator[None]:
    """OpenVINO raises RuntimeError for everything, MemoryError for std::bad_alloc."""
    try:
        yield
    except EnlargerError:
        raise
    except (MemoryError, RuntimeError, ImportError, OSError) as error:
        raise _as_failure(spec, error) from error


def _as_failure(spec: SessionSpec, error: Exception) -> RuntimeFailedError:
    height, width = spec.tile
    text = str(error)
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _OUT_OF_MEMORY):
        return OutOfMemoryError(
            msg(
                "{runtime} ran out of memory with tiles of {height} x {width}.",
                runtime=NAME,
                height=height,
                width=width,
            ),
            msg("Use smaller tiles, or give the container more memory."),
        )
    return RuntimeFailedError(
        msg(
            "{runtime} failed: {reason}",
            runtime=NAME,
            reason=text.strip().splitlines()[-1] if text.strip() else type(error).__name__,
        ),
        msg("Try another device, for example --device ncnn, and run `enlarger doctor`."),
    )
