"""Read nagadomi's waifu2x models in JSON: the list of convolutions that his Torch7 programs exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from enlarger.messages import msg
from enlarger.models.refusal import refusal
from enlarger.models.waifu2x_import import Layer

_MAX_BYTES = 256 * 1024**2  # as text; the networks have 5 to 20 MB
_MAX_LAYERS = 64
_TRANSPOSED = "SpatialFullConvolution"


class _Exported(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    nInputPlane: int  # noqa: N815 - the file's own words
    nOutputPlane: int  # noqa: N815
    kW: int  # noqa: N815
    kH: int  # noqa: N815
    weight: list[Any]
    bias: list[float]
    class_name: str = "nn.SpatialConvolutionMM"


def read_torch7(path: Path) -> tuple[Layer, ...]:
    """The layers in order; WeightsRefusedError, naming the file and what is odd in it."""
    name = str(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise refusal(name, msg("it is absurdly large for a model of waifu2x"))
        found = TypeAdapter(list[_Exported]).validate_python(json.loads(path.read_bytes()))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"][:2]))
        raise refusal(name, msg("it is no list of layers as waifu2x exports it (at {place})", place=place)) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error
    if not 2 <= len(found) <= _MAX_LAYERS:
        raise refusal(name, msg("it holds no network"))
    return tuple(_layer(each, number, name) for number, each in enumerate(found, 1))


def _layer(exported: _Exported, number: int, name: str) -> Layer:
    transposed = exported.class_name.rpartition(".")[2] == _TRANSPOSED
    planes = (exported.nOutputPlane, exported.nInputPlane)
    shape = (*(planes[::-1] if transposed else planes), exported.kH, exported.kW)
    try:
        weight, bias = np.array(exported.weight, np.float32), np.array(exported.bias, np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise refusal(name, msg("the weights of layer {number} are no numbers", number=number)) from error
    if weight.shape != shape or not np.isfinite(weight).all():
        raise refusal(
            name,
            msg(
                "layer {number} should be {expected} but is {found}", number=number, expected=shape, found=weight.shape
            ),
        )
    return Layer(weight, bias, transposed)
