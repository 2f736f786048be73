"""Peers that take one tile at a time, like a session: the same graph, the same tile, the same threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.alternate import PeerError, Row
from bench.course import Course
from bench.peers import ncnn, onnxruntime, pytorch
from enlarger.models import Graph

Run: TypeAlias = Callable[[], object]
Open: TypeAlias = Callable[[Graph, NDArray[np.uint8], int, str], Run]
"""(graph, tile (h, w, 3) uint8, threads, dtype) to a call that computes this tile; raises PeerError.

The tile is brought into the peer's own layout and type before: only its network is timed.
"""


@dataclass(frozen=True)
class TilePeer:
    """A runtime in one arithmetic."""

    name: str
    dtype: str
    open: Open


TILE_PEERS = (
    TilePeer("onnxruntime", "fp32", onnxruntime.open_tile),
    TilePeer("pytorch", "fp32", pytorch.open_tile),
    TilePeer("pytorch", "bf16", pytorch.open_tile),
    TilePeer("ncnn", "fp32", ncnn.open_tile),
    TilePeer("ncnn", "bf16", ncnn.open_tile),
)


def tile_rows(peers: Sequence[TilePeer], course: Course, threads: int) -> list[Row]:
    """A row for each peer over the course's first tile, warmed up."""
    return [_row(peer, course, threads) for peer in peers]


def _row(peer: TilePeer, course: Course, threads: int) -> Row:
    name, px, share = f"{peer.name} {peer.dtype}", course.px_per_tile, 1 / course.facts.tiles
    try:
        run = peer.open(course.graph, course.tiles[0], threads, peer.dtype)
        run()
    except PeerError as error:
        return Row(name, peer.dtype, px, pictures=share, absent=str(error))

    def timed(_: Path) -> object:
        return run()

    return Row(name, peer.dtype, px, timed, pictures=share)
