"""Which weights are here, and graphs made from them with a bar while they are fetched."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.cancel import CancelToken
from enlarger.cli.progress import Display
from enlarger.messages import Message, msg
from enlarger.models import Card, Graph, Variant, found_at, prepare
from enlarger.settings import Settings


@dataclass(frozen=True)
class Presence:
    """How many of a card's networks have their weights on this machine, and where these came from."""

    here: int
    all: int
    origins: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, settings: Settings) -> Presence:
        """Look for the files of every network, without reading them."""
        origins = [found_at(variant, settings) for variant in card.variants]
        present = [origin for origin in origins if origin is not None]
        return cls(len(present), len(origins), tuple(dict.fromkeys(present)))

    @property
    def complete(self) -> bool:
        """Whether every network can be used without fetching."""
        return self.here == self.all

    def sentence(self) -> Message:
        """ "yes", "3 of 10" or "no", with the origin."""
        if not self.here:
            return msg("no")
        origins = ", ".join(self.origins)
        if self.complete:
            return msg("yes ({origins})", origins=origins)
        return msg("{here} of {all} ({origins})", here=self.here, all=self.all, origins=origins)


class GraphSource:
    """`prepare` with a bar while weights are fetched: what an Enhancer takes as `prepare_graph`."""

    def __init__(self, display: Display, cancel: CancelToken) -> None:
        self._display = display
        self._cancel = cancel

    def __call__(self, variant: Variant, settings: Settings) -> Graph:
        """The variant's graph; raises ModelError, StorageError, CancelledError."""
        with self._display.download(msg("Fetching the weights of {model}", model=variant.name)) as progress:
            return prepare(variant, settings, progress=progress, cancel=self._cancel)
