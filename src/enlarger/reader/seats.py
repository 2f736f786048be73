"""Who reads an open book: one seat for each client, with its own place in the book."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from enlarger.reader.look_ahead import Direction, LookAhead, direction_of, places_around
from enlarger.reader.page_queue import Place

NAMELESS = ""  # the one seat of all clients that do not say who they are
GRACE_S = 30.0  # a page that is loaded again, a phone that wakes up, a proxy that was restarted
MOST_SEATS = 32  # at one book; one more, and the one not turned for longest is free


@dataclass
class Seat:
    """A client's place. `shown`: the pages it sees, none before its first turn; asked: those it named since then.

    away_since: when its socket closed, or its last call after that (the clock's seconds); None: nothing says it went.
    """

    shown: tuple[int, ...] = ()
    direction: Direction = 1
    asked: dict[int, Place] = field(default_factory=dict)
    places: Mapping[int, Place] = field(default_factory=dict)
    away_since: float | None = None

    def turn(self, shown: tuple[int, ...]) -> None:
        """The client sees these pages now."""
        self.direction = direction_of(self.shown, shown, self.direction)
        self.shown = shown
        self.asked.clear()

    def look_ahead(self, total: int, reach: LookAhead) -> None:
        """What the client wants of a book of `total` pages, the most urgent first."""
        places = places_around(self.shown, total, reach, self.direction) if self.shown else {}
        self.places = _best((self.asked, places))


class Seats:
    """The seats at one book, the one that turned last at the end. Not thread-safe."""

    def __init__(self) -> None:
        self._taken: OrderedDict[str, Seat] = OrderedDict()

    def __len__(self) -> int:
        return len(self._taken)

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._taken.values())

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    @property
    def shown(self) -> tuple[int, ...]:
        """The pages that anybody sees."""
        return tuple(dict.fromkeys(page for seat in self for page in seat.shown))

    def take(self, name: str, now: float) -> Seat:
        """The client's seat, from now on if it had none."""
        seat = self._taken.setdefault(name, Seat())
        self._taken.move_to_end(name)
        if seat.away_since is not None:
            seat.away_since = now
        if len(self._taken) > MOST_SEATS:
            self._taken.popitem(last=False)
        return seat

    def free(self, name: str) -> bool:
        """Whether the client had one."""
        return self._taken.pop(name, None) is not None

    def came(self, name: str) -> None:
        """The client has a socket."""
        if name in self._taken:
            self._taken[name].away_since = None

    def went(self, name: str, now: float) -> None:
        """The client's last socket closed."""
        if name in self._taken:
            self._taken[name].away_since = now

    def free_since(self, moment: float) -> float | None:
        """Free the seats that were left by then; when the last of them was left, None: none was freed."""
        gone = {name: seat.away_since for name, seat in self._taken.items() if seat.away_since is not None}
        left = {name: since for name, since in gone.items() if since <= moment}
        for name in left:
            del self._taken[name]
        return max(left.values(), default=None)

    def first_away(self) -> float | None:
        """Since when the client has been away that went first of those who are."""
        return min((seat.away_since for seat in self if seat.away_since is not None), default=None)

    def keep_within(self, total: int) -> None:
        """The book has so many pages now: who saw others sees none."""
        for seat in self:
            seat.asked.clear()
            seat.shown = tuple(page for page in seat.shown if page < total)

    def places(self) -> dict[int, Place]:
        """Every page that anybody wants, in the best place that anybody gives it."""
        return _best(seat.places for seat in self)


def _best(wishes: Iterable[Mapping[int, Place]]) -> dict[int, Place]:
    """Every page in the best place it is given, the most urgent first."""
    best: dict[int, Place] = {}
    for places in wishes:
        for page, place in places.items():
            best[page] = min(place, best.get(page, place))
    return dict(sorted(best.items(), key=lambda item: item[1]))
