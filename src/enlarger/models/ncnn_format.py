"""Read and write ncnn's two files: `.param`, the layers as text, and `.bin`, their weights one after another.

The format is ncnn's own (https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.refusal import refusal

Number = int | float
Value = Number | tuple[Number, ...]

_MAGIC = "7767517"
_ARRAY_KEY = -23300  # a key k at or below this is the array parameter -23300 - k
_FP32_TAG, _FP16_TAG = 0, 0x01306B47
_MAX_LAYERS = 20_000


@dataclass(frozen=True)
class Layer:
    """One line of a `.param`: what it does, the blobs it reads and makes, its numbered parameters."""

    type: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[int, Value]

    def number(self, key: int, default: Number = 0) -> Number:
        """A scalar parameter; `default` is what ncnn takes when the file is silent."""
        value = self.params.get(key, default)
        return value if not isinstance(value, tuple) else default

    def integer(self, key: int, default: int = 0) -> int:
        """A scalar parameter that counts something."""
        return int(self.number(key, default))

    def array(self, key: int, default: tuple[Number, ...] = ()) -> tuple[Number, ...]:
        """An array parameter."""
        value = self.params.get(key, default)
        return value if isinstance(value, tuple) else default


def parse_param(text: str, *, name: str) -> tuple[Layer, ...]:
    """The layers of a `.param`, in order; WeightsRefusedError, naming the file, when it is not one."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) < 3 or lines[0] != [_MAGIC] or len(lines) > _MAX_LAYERS:
        raise refusal(name, msg("this is not an ncnn parameter file"))
    try:
        return tuple(_parse_layer(words) for words in lines[2:])
    except (ValueError, IndexError) as error:
        raise refusal(name, msg("a layer cannot be read ({reason})", reason=str(error))) from error


def _parse_layer(words: list[str]) -> Layer:
    first_output = 4 + int(words[2])
    first_param = first_output + int(words[3])
    if not 4 <= first_output <= first_param <= len(words):
        raise ValueError(" ".join(words[:4]))
    return Layer(
        type=words[0],
        name=words[1],
        inputs=tuple(words[4:first_output]),
        outputs=tuple(words[first_output:first_param]),
        params=dict(_parse_parameter(word) for word in words[first_param:]),
    )


def _parse_parameter(word: str) -> tuple[int, Value]:
    key, _, text = word.partition("=")
    if int(key) > _ARRAY_KEY:
        return int(key), _parse_number(text)
    count, *values = text.split(",")
    if int(count) != len(values):
        raise ValueError(word)
    return _ARRAY_KEY - int(key), tuple(_parse_number(value) for value in values)


def _parse_number(text: str) -> Number:
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def format_param(layers: tuple[Layer, ...]) -> str:
    """The text of a `.param` that ncnn loads."""
    blobs = sum(len(layer.outputs) for layer in layers)
    return "\n".join([_MAGIC, f"{len(layers)} {blobs}", *map(_format_layer, layers)]) + "\n"


def _format_layer(layer: Layer) -> str:
    counts = (str(len(layer.inputs)), str(len(layer.outputs)))
    params = (_format_parameter(key, value) for key, value in layer.params.items())
    return " ".join([layer.type, layer.name, *counts, *layer.inputs, *layer.outputs, *params])


def _format_parameter(key: int, value: Value) -> str:
    if isinstance(value, tuple):
        return f"{_ARRAY_KEY - key}={','.join([str(len(value)), *map(repr, value)])}"
    return f"{key}={value!r}"


def format_weights(weights: NDArray[np.float32]) -> bytes:
    """A convolution's weights with their tag, in fp16 where that loses nothing: what was published so."""
    with np.errstate(over="ignore"):
        halves = weights.astype("<f2")
    if not np.array_equal(halves.astype(np.float32), weights):
        return _FP32_TAG.to_bytes(4, "little") + weights.astype("<f4").tobytes()
    data = halves.tobytes()
    return _FP16_TAG.to_bytes(4, "little") + data + bytes(-len(data) % 4)


class WeightReader:
    """The `.bin`, read in the order of the layers. WeightsRefusedError when it ends early or holds too much."""

    def __init__(self, data: bytes, *, name: str) -> None:
        self._data = data
        self._name = name
        self._position = 0

    def raw(self, count: int) -> NDArray[np.float32]:
        """`count` float32 without a tag: biases and PReLU slopes."""
        return self._take(np.dtype("<f4"), count).astype(np.float32)

    def tagged(self, count: int) -> NDArray[np.float32]:
        """`count` weights of a convolution: a tag says how they are stored; always given as float32."""
        tag = int(self._take(np.dtype("<u4"), 1)[0])
        if tag == _FP32_TAG:
            return self.raw(count)
        if tag != _FP16_TAG:
            raise refusal(self._name, msg("its weights are stored in an unknown way (tag {tag})", tag=hex(tag)))
        weights = self._take(np.dtype("<f2"), count).astype(np.float32)
        self._position += -self._position % 4
        return weights

    def finish(self) -> None:
        """To be called after the last layer: nothing may be left."""
        if self._position != len(self._data):
            raise refusal(self._name, msg("it does not belong to its parameter file (bytes are left over)"))

    def _take(self, dtype: np.dtype[np.generic], count: int) -> NDArray[np.generic]:
        size = count * dtype.itemsize
        if count < 0 or self._position + size > len(self._data):
            raise refusal(self._name, msg("it ends too early, or does not belong to its parameter file"))
        taken = np.frombuffer(self._data, dtype, count, self._position)
        self._position += size
        return taken
