"""What the reader tells those who listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from enlarger.reader.page_state import PageState


@dataclass(frozen=True)
class PageChanged:
    """A page of an open book is in another state, or further in its tiles."""

    state: PageState


@dataclass(frozen=True)
class ReaderChanged:
    """Options, rules, the open books or the hint are others now: ask for them."""


ReaderEvent: TypeAlias = PageChanged | ReaderChanged
ReaderListener: TypeAlias = Callable[[ReaderEvent], None]
