"""Which frames of an animation come again: they are computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from enlarger.pictures import Frame


def repeats(frames: Sequence[Frame]) -> Iterator[int | None]:
    """For each frame the index of the first that looks the same, or None where it is the first itself."""
    if len(frames) == 1:
        yield None
        return
    seen: dict[bytes, int] = {}
    for index, frame in enumerate(frames):
        first = seen.setdefault(_digest(frame), index)
        yield None if first == index else first


def _digest(frame: Frame) -> bytes:
    planes = [frame.pixels] if frame.alpha is None else [frame.pixels, frame.alpha]
    digest = hashlib.sha256()
    for plane in planes:
        digest.update(np.ascontiguousarray(plane).data)
    return digest.digest()
