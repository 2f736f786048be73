"""Which pages are wanted around the ones that are shown, and how urgently: the way the reader is going comes first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from enlarger.reader.page_queue import Lane, Place
from enlarger.reader.rules import in_camel_case

Direction = Literal[1, -1]  # towards the last page, towards the first
Reach = Annotated[int, Field(ge=0, le=100)]


@in_camel_case
@dataclass(frozen=True)
class LookAhead:
    """How many pages are made ready: `forward` in the direction of reading, `backward` behind."""

    forward: Reach = 3
    backward: Reach = 3


def places_around(
    shown: Collection[int], total: int, reach: LookAhead, direction: Direction = 1
) -> Mapping[int, Place]:
    """The place of every page that is wanted, of a book of `total` pages of which `shown` are seen.

    Going back, the pages before are the ones ahead.
    """
    first, last = min(shown), max(shown)
    ahead, behind = (last, first) if direction > 0 else (first, last)
    places = {ahead + direction * n: Place(Lane.FORWARD, n) for n in range(1, reach.forward + 1)}
    places |= {behind - direction * n: Place(Lane.BACKWARD, n) for n in range(1, reach.backward + 1)}
    places |= {page: Place(Lane.CURRENT) for page in shown}
    return {page: place for page, place in places.items() if 0 <= page < total}


def direction_of(before: Collection[int], now: Collection[int], known: Direction) -> Direction:
    """Where the reader goes, from what was shown before; where that does not say, as before."""
    if not before or min(now) == min(before):
        return known
    return 1 if min(now) > min(before) else -1
