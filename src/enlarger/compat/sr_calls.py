"""The two ways in which sr_vulkan's `add` is called: with a scale, or with a width and a height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from enlarger.compat.sr_engine import Wish


def understood(args: Sequence[Any], named: Mapping[str, Any]) -> Wish | None:
    """What a call asks for, its arguments by place or by name; None where it cannot be understood."""
    for form in (_by_scale, _by_size):
        with suppress(TypeError):
            return form(*args, **named)
    return None


def _by_scale(
    data: Any,
    modelIndex: Any,  # noqa: N803 - as its programs write it
    backId: Any,  # noqa: N803
    scale: Any,
    format: Any = "",  # noqa: A002
    tileSize: Any = 0,  # noqa: N803
) -> Wish:
    if not (isinstance(scale, int | float) and isfinite(scale)):
        raise TypeError
    return _wish(data, modelIndex, backId, format, tileSize, scale=float(scale))


def _by_size(
    data: Any,
    modelIndex: Any,  # noqa: N803
    backId: Any,  # noqa: N803
    width: Any,
    height: Any = None,
    format: Any = "",  # noqa: A002
    tileSize: Any = 0,  # noqa: N803
    *,
    high: Any = None,  # as sr_vulkan's own text calls it
) -> Wish:
    height = high if height is None else height
    return _wish(data, modelIndex, backId, format, tileSize, width=_whole(width), height=_whole(height))


def _wish(data: Any, model: Any, back_id: Any, format_: Any, tile_px: Any, **extent: Any) -> Wish:
    if not isinstance(data, bytes | bytearray | memoryview) or not isinstance(format_, str):
        raise TypeError
    return Wish(bytes(data), _whole(model), _whole(back_id), format=format_, tile_px=_whole(tile_px), **extent)


def _whole(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError
    return number
