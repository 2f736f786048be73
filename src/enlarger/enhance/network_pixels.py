"""A picture's pixels as networks take them, and what they give as pixels of the picture, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.enhance.checks import are_plausible
from enlarger.enhance.resample import as_floats, from_floats, to_grey
from enlarger.enhance.sparing import Layout, result_of
from enlarger.enhance.tiles import Box, paste
from enlarger.enhance.typesetting import Sheet
from enlarger.models import Variant
from enlarger.pictures import Pixels


class ImplausibleError(Exception):
    """A tile came back black or constant although its source is not."""


def is_deep(plane: Pixels) -> bool:
    """16 bits a channel: they enter the network as floats, and in fp32, since bf16 keeps eight."""
    return plane.dtype == np.uint16


def entering(tile: Pixels) -> NDArray[Any]:
    """A tile (h, w, C) of a plane as a session takes it: RGB, floats where it is deep."""
    tile = np.ascontiguousarray(tile) if tile.shape[2] == 3 else np.repeat(tile, 3, axis=2)
    return as_floats(tile) if is_deep(tile) else tile


def accept_tile(plane: Pixels, enlarged: Pixels, result: NDArray[Any], box: Box, scale: int) -> None:
    """Put into `enlarged` what a session gave for the box of the plane; raises ImplausibleError."""
    paste(enlarged, _leaving(result, plane), box, scale)
    _check([box], plane, enlarged, scale)


def accept_sheet(
    plane: Pixels, enlarged: Pixels, result: NDArray[Any], sheet: Sheet, layout: Layout, variant: Variant
) -> None:
    """Put into `enlarged` what a session gave for each of a sheet's pieces; raises ImplausibleError."""
    result = _leaving(result, plane)
    for piece in sheet.pieces:
        paste(enlarged, result_of(piece, result, variant.border, layout, variant.scale), piece.box, variant.scale)
    _check([piece.box for piece in sheet.pieces], plane, enlarged, variant.scale)


def _leaving(result: NDArray[Any], plane: Pixels) -> Pixels:
    """A session's result in the plane's depth, and in one channel where it has one."""
    channels = plane.shape[2]
    if is_deep(plane):
        return from_floats(result, channels)
    return to_grey(result) if channels == 1 else result


def _check(boxes: Sequence[Box], plane: Pixels, enlarged: Pixels, scale: int) -> None:
    if not are_plausible([_inside(plane, box, 1) for box in boxes], [_inside(enlarged, box, scale) for box in boxes]):
        raise ImplausibleError


def _inside(plane: Pixels, box: Box, scale: int) -> Pixels:
    top, left = box.y * scale, box.x * scale
    return plane[top : top + box.height * scale, left : left + box.width * scale]
