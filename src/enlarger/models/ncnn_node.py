"""What a graph's operators are given to write themselves with: one node, and the ncnn layers there are so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from enlarger.models.ncnn_format import Layer, Value

Array = NDArray[Any]

_CONVOLUTIONS = frozenset({"Convolution", "ConvolutionDepthWise", "Deconvolution", "InnerProduct"})
_ACTIVATION, _SLOPES = 9, 10  # their parameters


class UnsupportedError(Exception):
    """A node asks for something that its function does not write."""


@dataclass(frozen=True)
class Node:
    """One operator with its attributes and its inputs: blobs by name, constants by value."""

    operator: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    made: NcnnLayers

    def constant(self, index: int) -> Array | None:
        """The input's value where it is one that is known; None for a blob, and for one that is left out."""
        return self.made.constants.get(self.inputs[index]) if index < len(self.inputs) else None

    def needed(self, index: int) -> Array:
        """The constant, which must be there."""
        value = self.constant(index)
        self.require(value is not None)
        assert value is not None
        return value

    def blob(self, index: int = 0) -> str:
        """The blob that holds the input."""
        self.require(index < len(self.inputs) and self.inputs[index] in self.made.blobs)
        return self.made.blobs[self.inputs[index]]

    def attribute(self, name: str, default: Any) -> Any:
        """Texts as str."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def require(self, holds: bool) -> None:
        if not holds:
            raise UnsupportedError

    def layer(self, kind: str, *blobs: str, **params: Value) -> str:
        """A layer with parameters by number (`_0=…`); the blob it makes."""
        return self.made.add(kind, blobs, {int(key[1:]): value for key, value in params.items()})


@dataclass
class NcnnLayers:
    """The layers so far. A vector is a blob of one number a channel, which ncnn keeps in another shape."""

    constants: dict[str, Array]
    uses: Counter[str]  # how often each of the graph's values is read
    blobs: dict[str, str] = field(default_factory=dict)  # of the graph's values
    vectors: set[str] = field(default_factory=set)
    layers: list[Layer] = field(default_factory=list)
    weights: list[bytes] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], params: Mapping[int, Value]) -> str:
        name = f"{kind.lower()}_{len(self.layers)}"
        self.layers.append(Layer(kind, name, tuple(inputs), (name,), params))
        return name

    def activate(self, value: str, kind: int, slopes: tuple[float, ...]) -> bool:
        """Let the convolution that made `value` do it as well, where nobody else reads that."""
        last, blob = self.layers[-1], self.blobs[value]
        read_once = self.uses[value] == 1 and list(self.blobs.values()).count(blob) == 1  # else it has another name
        if last.type not in _CONVOLUTIONS or last.outputs != (blob,) or not read_once or _ACTIVATION in last.params:
            return False
        given: dict[int, Value] = {_SLOPES: slopes} if slopes else {}
        self.layers[-1] = replace(last, params={**last.params, _ACTIVATION: kind, **given})
        return True
