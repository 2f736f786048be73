"""What is known of a page that is read: the value that clients are shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from enlarger.jobs import Failure
from enlarger.messages import Message


class PageStatus(StrEnum):
    """Where a page is. PENDING waits, CHECKING is looked at, PROCESSING is a job; ORIGINAL: nothing is wanted of it."""

    PENDING = "pending"
    CHECKING = "checking"
    PROCESSING = "processing"
    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ORIGINAL = "original"

    @property
    def is_wanted(self) -> bool:
        """Whether something is still to become of it."""
        return self in (PageStatus.PENDING, PageStatus.CHECKING, PageStatus.PROCESSING)

    @property
    def is_settled(self) -> bool:
        """Whether it stays as it is until somebody asks, or what decided it changes."""
        return self in (PageStatus.COMPLETED, PageStatus.SKIPPED, PageStatus.FAILED)


@dataclass(frozen=True)
class RuleName:
    """Which rule decided."""

    id: str
    name: str


@dataclass(frozen=True)
class PageState:
    """One page of an open book. share: 0..1 of its tiles. Sizes in pixels, 0 while unknown.

    key, width, height, seconds: of the finished render. reason: why it gets what it gets, or nothing.
    error: why it failed or, while it is processing, what it waits for. file: where the render lies, for callers on
    this machine. image_hash: what the client calls the picture, else the SHA-256 of its bytes once it is known.
    """

    book_id: str
    page: int
    status: PageStatus = PageStatus.ORIGINAL
    share: float = 0.0
    key: str = ""
    width: int = 0
    height: int = 0
    original_width: int = 0
    original_height: int = 0
    model: str = ""
    scale: float = 0.0
    noise: int | None = None
    seconds: float | None = None
    rule: RuleName | None = None
    reason: Message | None = None
    error: Failure | None = None
    is_preload: bool = False
    book_path: Path = Path()
    image_hash: str = ""
    file: Path | None = None

    @property
    def url(self) -> str | None:
        """Where the server gives the render, None while there is none."""
        return url_of(self.key)


def url_of(key: str) -> str | None:
    """Where the server gives the render of that key; None for no key."""
    return f"/v1/renders/{key}" if key else None
