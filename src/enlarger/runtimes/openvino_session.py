"""A session of OpenVINO: a call is computed while the results before it are used; parts of the network on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.errors import EnlargerError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.openvino_graph import COUNTED, PICTURE, WHOLE, GraphPart, average_name
from enlarger.runtimes.openvino_library import openvino
from enlarger.runtimes.pooling_grid import PoolingGrid
from enlarger.runtimes.session import (
    Averages,
    Parts,
    SessionSpec,
    Tile,
    check_averages,
    check_open,
    check_stage,
    checked_tiles,
    in_batches,
    out_of_memory,
    with_parts,
)

NAME = "openvino"
_OF_GPUS = ("cl_out_of_resources", "cl_out_of_host_memory", "cl_mem_object_allocation", "exceeded max size of memory")
_OUT_OF_MEMORY = (
    "bad_alloc",
    "cannot allocate",
    "out of memory",
    "failed to allocate",
    "could not allocate",
    *_OF_GPUS,
)
Compile = Callable[[GraphPart], Any]
Inputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class _Pending:
    """A call being computed. It owns all arrays: OpenVINO only borrows their memory."""

    request: Any
    inputs: Inputs
    results: NDArray[Any]  # of the whole batch
    tiles: int  # that were given; the rest of the batch is repetition

    def wait(self) -> Iterator[NDArray[Any]]:
        self.request.wait()  # gives up the interpreter's lock meanwhile
        return iter(self.results[: self.tiles])

    def abandon(self) -> None:
        """Stop early; return only when OpenVINO no longer writes into `results`."""
        with suppress(RuntimeError):
            self.request.cancel()
            self.request.wait()


class OpenVinoSession:
    """The whole network compiled, and such parts of it as were asked for; every run has requests of its own."""

    def __init__(
        self, spec: SessionSpec, whole: Any, compile_part: Compile, grids: Callable[[], Sequence[PoolingGrid]]
    ) -> None:
        self.spec = spec
        self._compiled = {WHOLE: whole}
        self._used = WHOLE
        self._compile_part = compile_part
        self._grids = grids

    def run(
        self, tiles: Iterable[Tile], *, averages: Averages | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Tile]:
        """As Session.run; a tile that travels alone and all results are used in place, never copied."""
        check_open(self.spec, not self._compiled)
        given = averages if averages is not None else ()
        check_averages(self.spec, given, self.spec.poolings if averages is not None else 0)
        compiled, shared = self._part(GraphPart(len(given))), self._average_inputs(given)
        batches = in_batches(checked_tiles(self.spec, tiles, cancel), self.spec.batch)
        calls = ((len(batch), {PICTURE: self._stacked(batch)} | shared) for batch in batches)
        return self._results(calls, compiled, np.dtype(self.spec.pixels))

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Parts] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """As Session.pool; the graph up to each pooling is compiled when it is first asked for, and kept on disk."""
        check_open(self.spec, not self._compiled)
        check_stage(self.spec, stage, known)
        compiled, shared = self._part(GraphPart(stage, pools=True)), self._average_inputs(known)
        features = tuple(compiled.input(COUNTED).get_shape()[2:])
        counted = with_parts(checked_tiles(self.spec, tiles, cancel), parts)
        calls = (
            (len(batch), self._counted_inputs(batch, stage, features) | shared)
            for batch in in_batches(counted, self.spec.batch)
        )
        return (result.reshape(-1) for result in self._results(calls, compiled, np.dtype(np.float32)))

    def rest(self) -> None:
        """Give intermediate memory back: for cunet in tiles of half a megapixel 0.7 of 0.9 GB."""
        for compiled in self._compiled.values():
            with suppress(RuntimeError):  # a run computes in it
                compiled.release_memory()

    def close(self) -> None:
        """The memory goes when the last run has ended."""
        self._compiled = {}

    def _stacked(self, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """One array of the whole batch; the last is repeated where there are fewer: a smaller graph to compile for
        what a page has left over would cost more than it spares."""
        if self.spec.batch == 1:
            return arrays[0][np.newaxis]
        return np.stack([*arrays, *repeat(arrays[-1], self.spec.batch - len(arrays))])

    def _counted_inputs(
        self, batch: Sequence[tuple[Tile, Parts | None]], stage: int, features: tuple[int, int]
    ) -> dict[str, NDArray[Any]]:
        weights = [self._weights(stage, parts, features) for _, parts in batch]
        return {PICTURE: self._stacked([tile for tile, _ in batch]), COUNTED: self._stacked(weights)}

    def _average_inputs(self, averages: Averages) -> dict[str, NDArray[Any]]:
        """Copies, because OpenVINO borrows no read-only memory."""
        return {
            average_name(number): np.array(self._stacked([np.asarray(average, np.float32).reshape(-1, 1, 1)]))
            for number, average in enumerate(averages)
        }

    def _weights(self, stage: int, parts: Parts | None, features: tuple[int, int]) -> NDArray[np.float32]:
        """By which features are multiplied before they are averaged: (1, h, w)."""
        if parts is None:
            return np.ones((1, *features), np.float32)
        grid, weights = self._grids()[stage], np.zeros((1, *features), np.float32)
        for part in parts:
            rows, columns = grid.counted(part)
            weights[0, rows, columns] += weights.size * grid.weight(part)
        return weights

    def _part(self, part: GraphPart) -> Any:
        """Compiled at first use; what was used before gives its intermediate memory back (0.4 GB for 512 pixels)."""
        if part != self._used:
            with suppress(RuntimeError):  # an abandoned run still computes: its memory stays until the next change
                self._compiled[self._used].release_memory()
        self._used = part
        if part not in self._compiled:
            with mapped_errors(self.spec):
                self._compiled[part] = self._compile_part(part)
        return self._compiled[part]

    def _results(
        self, calls: Iterator[tuple[int, Inputs]], compiled: Any, dtype: np.dtype[Any]
    ) -> Iterator[NDArray[Any]]:
        """The graph's one output for each tile of each call, without its leading dimension."""
        pending: deque[_Pending] = deque()
        with mapped_errors(self.spec):
            idle = [compiled.create_infer_request() for _ in range(self.spec.in_flight // self.spec.batch)]
            shape = tuple(compiled.output(0).get_shape())
        try:
            for tiles, inputs in calls:
                pending.append(self._start(idle.pop(), inputs, np.empty(shape, dtype), tiles))
                if not idle:
                    yield from self._finish(pending, idle)
            while pending:
                yield from self._finish(pending, idle)
        finally:
            for abandoned in pending:
                abandoned.abandon()

    def _start(self, request: Any, inputs: Inputs, results: NDArray[Any], tiles: int) -> _Pending:
        tensor = openvino().Tensor
        with mapped_errors(self.spec):
            for name, values in inputs.items():
                request.set_tensor(name, tensor(values, shared_memory=True))
            request.set_output_tensor(tensor(results, shared_memory=True))
            request.start_async()
        return _Pending(request, inputs, results, tiles)

    def _finish(self, pending: deque[_Pending], idle: list[Any]) -> Iterator[NDArray[Any]]:
        with mapped_errors(self.spec):
            results = pending[0].wait()
        idle.append(pending.popleft().request)
        return results


@contextmanager
def mapped_errors(spec: SessionSpec) -> Iterator[None]:
    """OpenVINO raises RuntimeError for everything, MemoryError for std::bad_alloc."""
    try:
        yield
    except EnlargerError:
        raise
    except (MemoryError, RuntimeError, ImportError, OSError) as error:
        raise _as_failure(spec, error) from error


def _as_failure(spec: SessionSpec, error: Exception) -> RuntimeFailedError:
    text = str(error)
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _OUT_OF_MEMORY):
        return out_of_memory(spec)
    return RuntimeFailedError(
        msg(
            "{runtime} failed: {reason}",
            runtime=NAME,
            reason=text.strip().splitlines()[-1] if text.strip() else type(error).__name__,
        ),
        msg("Try another device, for example --device ncnn, and run `enlarger doctor`."),
    )
