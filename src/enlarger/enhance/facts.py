"""What is known of a finished render: the JSON beside its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from enlarger.messages import Message


def notes_in(facts: Mapping[str, Any]) -> tuple[Message, ...]:
    """What a render's facts say was lost on the way: depth above 8 bits, further frames, what a format cannot hold."""
    return tuple(Message.from_json(note) for note in facts.get("notes", ()))


@dataclass(frozen=True)
class PassFacts:
    """One network over the whole picture. `tile` is (h, w) with `halo_px` on all sides; `batch` tiles a call.

    useful_share: of the computed pixels, 0..1. seconds: of inference. filled_share: of the picture, 0..1, what was not
    computed because it is flat; then `tile` is the wide one, and a third as wide a few of `tiles` may be.
    graph, weights: SHA-256 of the ONNX graph, and over the files it was made from.
    """

    variant: str
    graph: str
    runtime: str
    device: str
    dtype: str
    tile: tuple[int, int]
    tiles: int
    useful_share: float
    seconds: float
    retried: bool = False  # its first output was NaN, black or constant, so it was computed again in fp32
    weights: str = ""
    halo_px: int = 0
    batch: int = 1
    fallback: Mapping[str, Any] | None = None  # why it did not run where it was meant to: a message's JSON
    filled_share: float = 0.0


def summed(passes: Sequence[PassFacts]) -> PassFacts:
    """One network over the frames of an animation, as one: what the first says, with the time of all."""
    retried = any(facts.retried for facts in passes)
    return replace(passes[0], seconds=round(sum(facts.seconds for facts in passes), 3), retried=retried)


@dataclass(frozen=True)
class Facts:
    """How a picture was enlarged: sizes are (width, height) in pixels."""

    source_size: tuple[int, int]
    size: tuple[int, int]
    passes: tuple[PassFacts, ...]

    @property
    def megapixels(self) -> float:
        """Pixels of the source, in millions."""
        return self.source_size[0] * self.source_size[1] / 1e6

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)
