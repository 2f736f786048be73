"""What the desk asks its feeder to do: nothing here touches a disk or a job by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from enlarger.jobs import Priority


@dataclass(frozen=True)
class Look:
    """Look at a page's header. ticket: says later whether the page is still wanted for the same reason."""

    book_id: str
    page: int
    ticket: int
    book: Path
    name: str
    width: int
    height: int
    file_type: str


@dataclass(frozen=True)
class Release:
    """Stop the job if it is at work, and delete it with its output."""

    job_id: str


@dataclass(frozen=True)
class Prioritise:
    """Serve the job sooner or later."""

    job_id: str
    priority: Priority


@dataclass(frozen=True)
class Finished:
    """What came out of a page's job. computed: False where it was in the cache."""

    key: str
    file: Path
    width: int
    height: int
    bytes: int
    seconds: float
    computed: bool
    input_sha256: str


Order: TypeAlias = Look | Release | Prioritise
