"""A session that another device took over: the same session, with the reason in its spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.messages import Message
from enlarger.runtimes.session import Averages, Part, Session, Tile


class FallbackSession:
    """`session`, whose spec says in `fallback` why it is not on the device that was meant."""

    def __init__(self, session: Session, why: Message) -> None:
        self._session = session
        self.spec = replace(session.spec, fallback=why)

    def run(
        self, tiles: Iterable[Tile], *, averages: Averages | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Tile]:
        """As Session.run."""
        return self._session.run(tiles, averages=averages, cancel=cancel)

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Part] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """As Session.pool."""
        return self._session.pool(tiles, stage=stage, known=known, parts=parts, cancel=cancel)

    def rest(self) -> None:
        """As Session.rest."""
        self._session.rest()

    def close(self) -> None:
        """As Session.close."""
        self._session.close()
