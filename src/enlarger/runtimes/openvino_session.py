"""A session of OpenVINO: a tile is computed while the result before it is used; parts of the network on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.errors import EnlargerError, OutOfMemoryError, RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.openvino_graph import COUNTED, PICTURE, WHOLE, GraphPart, average_name
from enlarger.runtimes.openvino_library import openvino
from enlarger.runtimes.pooling_grid import PoolingGrid
from enlarger.runtimes.session import (
    Averages,
    Part,
    SessionSpec,
    Tile,
    check_averages,
    check_open,
    check_stage,
    checked_tiles,
    with_parts,
)

NAME = "openvino"
_OUT_OF_MEMORY = ("bad_alloc", "cannot allocate", "out of memory", "failed to allocate", "could not allocate")
Compile = Callable[[GraphPart], Any]
Inputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class _Pending:
    """A tile being computed. It owns all arrays: OpenVINO only borrows their memory."""

    request: Any
    inputs: Inputs
    result: NDArray[Any]

    def wait(self) -> NDArray[Any]:
        self.request.wait()  # gives up the interpreter's lock meanwhile
        return self.result

    def abandon(self) -> None:
        """Stop early; return only when OpenVINO no longer writes into `result`."""
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
        """As Session.run; tile and result are used in place, never copied."""
        check_open(self.spec, not self._compiled)
        given = averages if averages is not None else ()
        check_averages(self.spec, given, self.spec.poolings if averages is not None else 0)
        compiled, shared = self._part(GraphPart(len(given))), _average_inputs(given)
        dtype = np.dtype(self.spec.pixels)
        inputs = (_picture(tile) | shared for tile in checked_tiles(self.spec, tiles, cancel))
        return (result[0] for result in self._results(inputs, compiled, dtype))

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Part] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """As Session.pool; the graph up to each pooling is compiled when it is first asked for, and kept on disk."""
        check_open(self.spec, not self._compiled)
        check_stage(self.spec, stage, known)
        compiled, shared = self._part(GraphPart(stage, pools=True)), _average_inputs(known)
        features = tuple(compiled.input(COUNTED).get_shape()[2:])
        inputs = (
            _picture(tile) | shared | {COUNTED: self._weights(stage, part, features)}
            for tile, part in with_parts(checked_tiles(self.spec, tiles, cancel), parts)
        )
        return (result.reshape(-1) for result in self._results(inputs, compiled, np.dtype(np.float32)))

    def close(self) -> None:
        """The memory goes when the last run has ended."""
        self._compiled = {}

    def _weights(self, stage: int, part: Part | None, features: tuple[int, int]) -> NDArray[np.float32]:
        """By which features are multiplied before they are averaged: (1, 1, h, w)."""
        weights = np.zeros((1, 1, *features), np.float32)
        if part is None:
            weights[...] = 1
        else:
            grid = self._grids()[stage]
            rows, columns = grid.counted(part)
            weights[..., :rows, :columns] = weights.size / grid.total(part)
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

    def _results(self, tiles: Iterator[Inputs], compiled: Any, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        """The graph's one output for each set of inputs, with its leading dimension of 1."""
        pending: deque[_Pending] = deque()
        with mapped_errors(self.spec):
            idle = [compiled.create_infer_request() for _ in range(self.spec.in_flight)]
            shape = tuple(compiled.output(0).get_shape())
        try:
            for inputs in tiles:
                pending.append(self._start(idle.pop(), inputs, np.empty(shape, dtype)))
                if not idle:
                    yield self._finish(pending, idle)
            while pending:
                yield self._finish(pending, idle)
        finally:
            for abandoned in pending:
                abandoned.abandon()

    def _start(self, request: Any, inputs: Inputs, result: NDArray[Any]) -> _Pending:
        tensor = openvino().Tensor
        with mapped_errors(self.spec):
            for name, values in inputs.items():
                request.set_tensor(name, tensor(values, shared_memory=True))
            request.set_output_tensor(tensor(result, shared_memory=True))
            request.start_async()
        return _Pending(request, inputs, result)

    def _finish(self, pending: deque[_Pending], idle: list[Any]) -> NDArray[Any]:
        with mapped_errors(self.spec):
            result = pending[0].wait()
        idle.append(pending.popleft().request)
        return result


def _picture(tile: Tile) -> dict[str, NDArray[Any]]:
    return {PICTURE: tile[np.newaxis]}


def _average_inputs(averages: Averages) -> dict[str, NDArray[Any]]:
    """Copies, because OpenVINO borrows no read-only memory."""
    return {
        average_name(number): np.array(average, np.float32).reshape(1, -1, 1, 1)
        for number, average in enumerate(averages)
    }


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
