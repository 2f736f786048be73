"""What a runtime and a session promise: the seam between the road of a page and what computes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from enlarger import cancel as cancelling
from enlarger.cancel import CancelToken
from enlarger.errors import OutOfMemoryError, RuntimeFailedError
from enlarger.messages import Message, msg
from enlarger.models import Graph

Tile: TypeAlias = NDArray[Any]
"""(h, w, 3) RGB: uint8 0..255 or float32 0..1, as the session's `spec.pixels` says."""

Averages: TypeAlias = Sequence[NDArray[np.float32]]
"""What global average poolings give, in the network's order: (C,) each, in the units of its feature maps."""

_Item = TypeVar("_Item")

Kind: TypeAlias = Literal["cpu", "gpu", "npu"]

FP32 = "fp32"
BF16 = "bf16"
FP16 = "fp16"
UINT8 = "uint8"
FLOAT32 = "float32"


@dataclass(frozen=True)
class Device:
    """Something a runtime can open a session on."""

    runtime: str  # "openvino"
    id: str  # "cpu", "gpu:1", "vulkan:0": what comes after the first colon in "openvino:cpu"
    name: str  # as its maker calls it
    dtypes: tuple[str, ...]  # "fp32" always, "bf16" or "fp16" where the hardware has it
    kind: Kind = "cpu"
    software: bool = False  # a GPU that the CPU plays: never taken unless it is asked for
    memory_bytes: int = 0  # of its own, or what it may use of the machine's; 0: the machine's

    @property
    def full_name(self) -> str:
        """What names it and nothing else: "openvino:cpu"."""
        return f"{self.runtime}:{self.id}"


@dataclass(frozen=True)
class SessionSpec:
    """What a session is: the facts that go beside a render, and what the feeder must know."""

    runtime: str
    device: str
    dtype: str  # "fp32" | "bf16" | "fp16": the arithmetic inside
    pixels: str  # "uint8" | "float32": the tiles outside
    tile: tuple[int, int]  # (h, w), surroundings included
    scale: int
    border: int  # input pixels a side that the result lacks
    in_flight: int  # tiles pulled ahead of the one awaited, itself included
    batch: int = 1  # tiles computed in one call; less than was asked for where the runtime takes them one by one
    poolings: int = 0  # global average poolings in the network: what makes a tile depend on all of the picture
    fallback: Message | None = field(default=None, compare=False)  # why it is not the device that was meant

    @property
    def result(self) -> tuple[int, int, int]:
        """The shape of every result."""
        height, width = self.tile
        return (height - 2 * self.border) * self.scale, (width - 2 * self.border) * self.scale, 3


@dataclass(frozen=True)
class Part:
    """What of a tile counts in the averages of a picture, all (h, w) in input pixels.

    The picture here is what one tile for all of it would hold: extended by the halo on all sides, and to the sides that
    the network allows.
    """

    own: tuple[int, int]  # from the part's upper left corner to where the next ones begin; all of it for the last
    inside: tuple[int, int]  # what of it, halo included, the picture fills; less than all where it reaches beyond
    picture: tuple[int, int]
    corner: tuple[int, int] = (0, 0)  # in the tile, at multiples of what the network strides by
    stands_for: NDArray[np.bool_] | None = field(default=None, compare=False, repr=False)
    """Cells (rows, columns) of `own` over the picture that are not computed: it counts once for each, not for itself,
    since all show what it shows."""


Parts: TypeAlias = Sequence[Part]
"""All that counts of one tile."""


class Session(Protocol):
    """One graph on one device at one tile size, resident until closed. One thread runs it at a time."""

    spec: SessionSpec

    def run(
        self, tiles: Iterable[Tile], *, averages: Averages | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Tile]:
        """One result a tile, in the order of the input; at most `spec.in_flight` tiles are pulled ahead.

        A tile has exactly `spec.tile` pixels and dtype `spec.pixels`; a result has shape `spec.result`, the same dtype,
        is clipped to the range and belongs to the caller. With `averages`, one for each of `spec.poolings`, every
        pooling gives these instead of the tile's own. `cancel` is read between calls of `spec.batch` tiles each; the
        last may have fewer, and results are the same however many there are in a call.
        Raises OutOfMemoryError, RuntimeFailedError, CancelledError.
        """
        ...

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Parts] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """What global average pooling number `stage`, from 0, gives for each tile: (C,), in the order of the input.

        With `parts`, some for each tile, its share of the picture's average instead: their sum is the average, each
        feature of the picture counted once, although tiles overlap. `known` has the picture's averages of the `stage`
        poolings before it. Averaging stage by stage over all tiles, each stage with the averages of those before, is
        Real-CUGAN's exact way to share them ("sync gap"); only the part of the network before the pooling is computed.
        Otherwise as `run`.
        """
        ...

    def rest(self) -> None:
        """Give back what only a run needs; the next one takes it anew. A run that was begun goes on."""
        ...

    def close(self) -> None:
        """Give the memory back; afterwards `run` and `pool` raise RuntimeFailedError. Closing twice is fine."""
        ...


class Runtime(Protocol):
    """Something that executes graphs. Importing or making one loads no heavy library; the first use does."""

    @property
    def name(self) -> str: ...

    @property
    def calibrates(self) -> bool:
        """Whether its speed is worth measuring; if not, the last dtype of its device is the one to take."""
        ...

    @property
    def version(self) -> str:
        """Version of the library behind it, or "" when it is not installed."""
        ...

    def devices(self) -> Sequence[Device]:
        """What it can run on here; empty when its library is missing or broken."""
        ...

    def supports(self, graph: Graph) -> bool:
        """Whether it can execute this graph (ncnn needs the graph's ncnn form)."""
        ...

    def open(
        self, graph: Graph, *, tile: tuple[int, int], device: str, dtype: str, pixels: str, batch: int = 1
    ) -> Session:
        """A session for `batch` tiles a call, or fewer: see its `spec`. Raises OutOfMemoryError, RuntimeFailedError."""
        ...


def checked_tiles(spec: SessionSpec, tiles: Iterable[Tile], cancel: CancelToken | None) -> Iterator[Tile]:
    """The tiles, each pulled when it is asked for: the token is read before, shape and dtype checked after."""
    iterator = iter(tiles)
    while True:
        cancelling.check(cancel)
        try:
            tile = next(iterator)
        except StopIteration:
            return
        _check_tile(spec, tile)
        yield np.require(tile, requirements=("C", "W"))  # OpenVINO borrows no read-only memory; a copy only if need be


def in_batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """`size` items at a time, fewer at the end; none is pulled before its batch is asked for."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _check_tile(spec: SessionSpec, tile: Tile) -> None:
    if tile.shape == (*spec.tile, 3) and tile.dtype == np.dtype(spec.pixels):
        return
    height, width = spec.tile
    raise RuntimeFailedError(
        msg(
            "A tile of shape {shape}, {dtype}, was given to a session for {height} x {width} x 3, {pixels}.",
            shape=tile.shape,
            dtype=tile.dtype,
            height=height,
            width=width,
            pixels=spec.pixels,
        ),
        msg("This is a mistake in Enlarger; please report it."),
    )


def out_of_memory(spec: SessionSpec) -> OutOfMemoryError:
    """What to raise when a session's tiles are too large for the memory there is."""
    height, width = spec.tile
    return OutOfMemoryError(
        msg(
            "{runtime} ran out of memory with tiles of {height} x {width}.",
            runtime=spec.runtime,
            height=height,
            width=width,
        ),
        msg("Use smaller tiles, or give the container more memory."),
    )


def check_open(spec: SessionSpec, closed: bool) -> None:
    """Raises RuntimeFailedError for a session that was closed."""
    if closed:
        raise RuntimeFailedError(
            msg("The {runtime} session was closed.", runtime=spec.runtime),
            msg("This is a mistake in Enlarger; please report it."),
        )


def check_averages(spec: SessionSpec, averages: Averages, expected: int) -> None:
    """Raises RuntimeFailedError unless there is one average for each of the first `expected` poolings."""
    if len(averages) == expected <= spec.poolings:
        return
    raise RuntimeFailedError(
        msg(
            "{count} averages were given for {expected} of a network's {poolings} poolings.",
            count=len(averages),
            expected=expected,
            poolings=spec.poolings,
        ),
        msg("This is a mistake in Enlarger; please report it."),
    )


def check_channels(average: NDArray[np.float32], channels: int) -> None:
    """Raises RuntimeFailedError for an average that has not one number for each channel of its pooling."""
    if np.shape(average) != (channels,):
        raise RuntimeFailedError(
            msg(
                "An average of shape {shape} was given to a pooling of {channels} channels.",
                shape=np.shape(average),
                channels=channels,
            ),
            msg("This is a mistake in Enlarger; please report it."),
        )


def check_stage(spec: SessionSpec, stage: int, known: Averages) -> None:
    """Raises RuntimeFailedError unless `stage` is a pooling of the network and `known` has those before it."""
    check_averages(spec, known, stage if 0 <= stage < spec.poolings else -1)


def with_parts(tiles: Iterator[Tile], parts: Sequence[Parts] | None) -> Iterator[tuple[Tile, Parts | None]]:
    """Each tile with its parts; raises ValueError when there are more of one than of the other."""
    return zip(tiles, repeat(None)) if parts is None else zip(tiles, parts, strict=True)
