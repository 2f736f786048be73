"""What a job, a page of it and an event are: values that the ledger keeps and everybody else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Literal

from enlarger.enhance import Recipe
from enlarger.jobs.failure import Failure

ALL = 1_000_000_000  # as a limit: more than there can be

SourceKind = Literal["folder", "pictures", "archive", "picture"]
Selection = Literal["all", "direct", "named"]
"""Of a source's pages all, those not in folders of it, or some by name."""


class JobState(StrEnum):
    """Where a job is. PARTIAL: finished, some pages failed, the others are in the artifact."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    PACKING = "packing"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens unless a person asks."""
        return self in (JobState.DONE, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED)


class PageState(StrEnum):
    """Where a page is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(IntEnum):
    """Who is served first; within one, jobs take turns."""

    READING = 50
    AHEAD = 40
    INTERACTIVE = 30
    VOLUME = 20
    INDEXING = 10


@dataclass(frozen=True)
class JobSource:
    """Where pages come from; `path` is absolute.

    kind: a folder with all below it, the pictures that lie in a folder directly, an archive, or one picture file.
    """

    kind: SourceKind
    path: Path

    @property
    def is_recursive(self) -> bool:
        """Whether what lies in folders of the source belongs to it."""
        return self.kind != "pictures"


@dataclass(frozen=True)
class Submission:
    """A job to be: everything that is known before it is accepted.

    device: "auto", "cpu", "openvino:cpu", as for sessions. packs: an archive of the pages is made at the end.
    transient: deleted with its output an hour after its end, and not listed unless asked for.
    params: what the client sent, given back to it as it was. only: of a folder or an archive these pages and no
    others, by name; they are not looked for before a worker reads them, and one that is not there fails by itself.
    """

    source: JobSource
    recipe: Recipe
    title: str = ""
    volume: str = ""
    priority: Priority = Priority.VOLUME
    device: str = "auto"
    packs: bool = True
    transient: bool = False
    owner: str = ""
    idempotency_key: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    id: str = ""  # a UUID4 where the caller had to know it before; else the ledger makes one

    @property
    def selection(self) -> Selection:
        """Which of the source's pages are asked for."""
        if self.only and self.source.kind != "picture":
            return "named"
        return "all" if self.source.is_recursive else "direct"


@dataclass(frozen=True)
class Counts:
    """Pages by what became of them; `total` is 0 until the source has been listed."""

    total: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def processed(self) -> int:
        """Pages that need nothing more."""
        return self.done + self.failed


@dataclass(frozen=True)
class Artifact:
    """A finished archive: `path` relative to the storage root, SHA-256 in hex."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Job:
    """A durable list of pages with a state, as it stands in the ledger. Times are Unix seconds.

    reason: why it is paused or failed. retries: how often it was sent back to work. last_event: its newest number.
    """

    id: str
    submission: Submission
    state: JobState
    counts: Counts
    created_at: float
    updated_at: float
    started_at: float | None = None
    finished_at: float | None = None
    listed: bool = False
    reason: Failure | None = None
    retries: int = 0
    artifact: Artifact | None = None
    last_event: int = 0


@dataclass(frozen=True)
class PageResult:
    """What a finished page is: `output` is its path inside the job's output folder (POSIX)."""

    output: str
    input_sha256: str
    output_sha256: str
    bytes: int
    key: str
    seconds: float
    computed: bool  # False: it was in the cache
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class NewPage:
    """A page as it was listed. `failure`: it cannot be read at all, so it is stored as failed."""

    name: str
    targets: Mapping[str, str]
    failure: Failure | None = None


@dataclass(frozen=True)
class Page:
    """One page of a job. `name` is its path inside the source (POSIX); `targets` its output name by suffix.

    attempt counts claims and fences off late workers; crashes counts the workers that died with this page alone.
    """

    id: int
    job_id: str
    position: int
    name: str
    targets: Mapping[str, str]
    state: PageState
    attempt: int = 0
    crashes: int = 0
    alone: bool = False  # a worker died while it had this page among others: it is tried by itself
    result: PageResult | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Claim:
    """A page in a worker's hands: the page, and the job it belongs to as it was when claimed."""

    page: Page
    job: Job


@dataclass(frozen=True)
class Event:
    """Something that happened to a job, numbered from 1 without gaps. `as_dict` is the stored and the wire form."""

    job_id: str
    number: int
    at: float
    type: str
    data: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON for SSE and WebSocket."""
        return {"job": self.job_id, "number": self.number, "at": self.at, "type": self.type, **self.data}
