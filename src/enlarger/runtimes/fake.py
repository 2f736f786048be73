"""A runtime without a network: nearest neighbour, and every misfortune a real one can have, on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.models import Graph
from enlarger.runtimes.pooling_grid import PIXELS
from enlarger.runtimes.session import (
    BF16,
    FLOAT32,
    FP32,
    Averages,
    Device,
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


@dataclass(frozen=True)
class Misfortune:
    """What goes wrong with a fake. Tiles are counted from 1 over all sessions of one runtime."""

    delay_s: float = 0.0  # a tile
    fail_at_tile: int | None = None  # RuntimeFailedError at this tile, once
    out_of_memory_above_px: int | None = None  # OutOfMemoryError for every call with more pixels in its tiles
    output: str = "nearest"  # "nearest" | "nan" (black in uint8) | "black" | "constant"
    output_dtypes: tuple[str, ...] = (FP32, BF16)  # sessions of these dtypes give that output, others nearest
    closed_devices: tuple[str, ...] = ()  # RuntimeFailedError when a session is opened on one
    lost_devices: tuple[str, ...] = ()  # RuntimeFailedError at each tile on one


@dataclass
class FakeRuntime:
    """Nearest neighbour at the variant's scale and border, bit-exact whatever the tile; counts what it did.

    With `poolings`, the brightness depends on averages over the tile, one upon the other as in a real network, so that
    tiles show seams unless they share them.
    """

    misfortune: Misfortune = field(default_factory=Misfortune)
    dtypes: tuple[str, ...] = (FP32, BF16)
    more_devices: tuple[Device, ...] = ()
    in_flight: int = 1
    poolings: int = 0
    sleep: Callable[[float], None] = time.sleep
    name: str = "fake"
    calibrates: bool = False
    version: str = "1"
    tiles_run: int = 0
    tiles_pooled: int = 0
    calls_run: int = 0
    sessions_opened: int = 0
    sessions_closed: int = 0
    sessions_rested: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def devices(self) -> Sequence[Device]:
        """One called "cpu", and `more_devices`."""
        return (Device(self.name, "cpu", "nearest neighbour", self.dtypes), *self.more_devices)

    def supports(self, graph: Graph) -> bool:  # noqa: ARG002 - the protocol's signature
        """Every graph: only its scale and border are read."""
        return True

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> FakeSession:
        """A session that reads no file."""
        if device in self.misfortune.closed_devices:
            raise _device_failure(device)
        variant = graph.variant
        spec = SessionSpec(
            self.name,
            device,
            dtype,
            pixels,
            tile,
            variant.scale,
            variant.border,
            in_flight=self.in_flight * batch,
            batch=batch,
            poolings=self.poolings,
        )
        with self._lock:
            self.sessions_opened += 1
        return FakeSession(self, spec)

    def count_call(self) -> None:
        """One call more, of one batch."""
        with self._lock:
            self.calls_run += 1

    def count_tile(self) -> int:
        """The number of the tile that now begins."""
        with self._lock:
            self.tiles_run += 1
            return self.tiles_run

    def count_pooled(self) -> None:
        """One tile more is looked at for its averages."""
        with self._lock:
            self.tiles_pooled += 1

    def count_rest(self) -> None:
        """A session gave back what only a run needs."""
        with self._lock:
            self.sessions_rested += 1

    def count_close(self) -> None:
        """One session fewer is open."""
        with self._lock:
            self.sessions_closed += 1


class FakeSession:
    """What FakeRuntime opens."""

    def __init__(self, runtime: FakeRuntime, spec: SessionSpec) -> None:
        self.spec = spec
        self._runtime = runtime
        self._closed = False

    def run(
        self, tiles: Iterable[Tile], *, averages: Averages | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Tile]:
        """As Session.run, with the runtime's misfortune."""
        check_open(self.spec, self._closed)
        if averages is not None:
            check_averages(self.spec, averages, self.spec.poolings)
        batches = in_batches(checked_tiles(self.spec, tiles, cancel), self.spec.batch)
        return (result for batch in batches for result in self._call(batch, averages))

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Parts] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """As Session.pool: (3,), halfway between the tile's mean colour and the average before, 0..1."""
        check_open(self.spec, self._closed)
        check_stage(self.spec, stage, known)
        batches = in_batches(with_parts(checked_tiles(self.spec, tiles, cancel), parts), self.spec.batch)
        return (self._pool(tile, counted, known) for batch in batches for tile, counted in batch)

    def rest(self) -> None:
        """Counted."""
        self._runtime.count_rest()

    def close(self) -> None:
        """Counted once."""
        if not self._closed:
            self._closed = True
            self._runtime.count_close()

    def _call(self, batch: Sequence[Tile], averages: Averages | None) -> list[Tile]:
        self._runtime.count_call()
        return [self._infer(tile, averages) for tile in batch]

    def _infer(self, tile: Tile, averages: Averages | None) -> Tile:
        number = self._runtime.count_tile()
        self._suffer()
        self._fail_at(number)
        misfortune = self._runtime.misfortune
        if self.spec.dtype in misfortune.output_dtypes and misfortune.output != "nearest":
            return self._bad_output(misfortune.output)
        own = [self._mean(tile)] * self.spec.poolings
        return self._nearest(self._shifted(tile, own if averages is None else averages))

    def _pool(self, tile: Tile, parts: Parts | None, known: Averages) -> NDArray[np.float32]:
        self._runtime.count_pooled()
        self._suffer()
        features = (tile / self._white).transpose(2, 0, 1)
        if known:
            features = (features + known[-1].reshape(-1, 1, 1)) / 2
        return features.mean((1, 2)).astype(np.float32) if parts is None else PIXELS.share(features, parts)

    def _mean(self, tile: Tile) -> NDArray[np.float32]:
        return np.asarray(tile.mean((0, 1), np.float64) / self._white, np.float32)

    def _shifted(self, tile: Tile, averages: Averages) -> Tile:
        """Brighter by an eighth of what each average is above one half."""
        if not averages:
            return tile
        shifted = tile + self._white / 8 * sum(average - np.float32(0.5) for average in averages)
        values = np.clip(shifted, 0, self._white)
        return (values if self.spec.pixels == FLOAT32 else np.rint(values)).astype(tile.dtype)

    @property
    def _white(self) -> int:
        return 1 if self.spec.pixels == FLOAT32 else 255

    def _suffer(self) -> None:
        misfortune = self._runtime.misfortune
        if misfortune.delay_s:
            self._runtime.sleep(misfortune.delay_s)
        height, width = self.spec.tile
        limit_px = misfortune.out_of_memory_above_px
        if limit_px is not None and height * width * self.spec.batch > limit_px:
            raise out_of_memory(self.spec)

    def _fail_at(self, number: int) -> None:
        if self.spec.device in self._runtime.misfortune.lost_devices:
            raise _device_failure(self.spec.device)
        if number == self._runtime.misfortune.fail_at_tile:
            raise RuntimeFailedError(msg("The fake runtime failed at tile {number}, as it was told to.", number=number))

    def _nearest(self, tile: Tile) -> Tile:
        border, scale = self.spec.border, self.spec.scale
        height, width = self.spec.tile
        core = tile[border : height - border, border : width - border]
        return np.clip(core.repeat(scale, axis=0).repeat(scale, axis=1), 0, self._white)

    def _bad_output(self, kind: str) -> Tile:
        result = np.zeros(self.spec.result, np.dtype(self.spec.pixels))
        if kind == "constant":
            result[...] = 0.5 if self.spec.pixels == FLOAT32 else 128
        elif kind == "nan" and self.spec.pixels == FLOAT32:
            result[...] = np.nan
        return result


def _device_failure(device: str) -> RuntimeFailedError:
    return RuntimeFailedError(msg("The fake runtime's device {device} failed, as it was told to.", device=device))
