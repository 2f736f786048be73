"""What the parent and a worker say to each other over one pipe: small frozen values, never pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from enlarger.enhance import Recipe
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import JobSource, PageResult, Priority
from enlarger.messages import Message

GiveBackReason = Literal["cancelled", "dropped"]

# ---- to a worker ----


@dataclass(frozen=True)
class Start:
    """Render one page and leave the result at `out_dir / targets[suffix]`.

    task: a number of the sender's choice, never used twice with one worker. source: `name` is the page's path in
    it (POSIX); for a picture its name for people. targets: by the render's suffix, as `OUTPUT_SUFFIXES` has them.
    log: facts for this page's log lines, such as the job's id.
    """

    task: int
    source: JobSource
    name: str
    recipe: Recipe
    out_dir: Path
    targets: Mapping[str, str]
    device: str = "auto"
    priority: int = Priority.VOLUME
    log: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cancel:
    """Stop this task at the next tile: GaveBack "cancelled" follows, or Done when it was too late."""

    task: int


@dataclass(frozen=True)
class Drop:
    """Give this task back (GaveBack "dropped") unless its page is being computed: then it is finished."""

    task: int


@dataclass(frozen=True)
class Prioritise:
    """Serve this task earlier or later from now on, also where it is being computed."""

    task: int
    priority: int


@dataclass(frozen=True)
class Unload:
    """Close the models; the next page opens them anew."""


@dataclass(frozen=True)
class Refresh:
    """Models were added, removed or fetched: the next page to be prepared sees them."""


@dataclass(frozen=True)
class UseDevice:
    """From the next page on, those that name no device are computed on this one, with one of `share` equal parts of the
    cores and the memory.
    """

    device: str
    share: int


@dataclass(frozen=True)
class Stop:
    """Give back what is not being computed (GaveBack "dropped"), finish the rest, then end."""


ToWorker: TypeAlias = Start | Cancel | Drop | Prioritise | Unload | Refresh | UseDevice | Stop

# ---- from a worker ----


@dataclass(frozen=True)
class OpenModel:
    """A model that a worker keeps open, on what. fallback: why it is not the device that was meant."""

    model: str
    runtime: str
    device: str
    dtype: str
    fallback: Message | None = None


@dataclass(frozen=True)
class Ready:
    """The worker takes work now."""

    pid: int


@dataclass(frozen=True)
class Prepared:
    """The page is decoded and waits for its turn, or `cached`: it needs no turn. `key` names its render."""

    task: int
    key: str
    cached: bool


@dataclass(frozen=True)
class TileDone:
    """So much of the page is computed, 0..1."""

    task: int
    share: float


@dataclass(frozen=True)
class Done:
    """The page lies in its place, durable."""

    task: int
    result: PageResult


@dataclass(frozen=True)
class Failed:
    """The page cannot be rendered, for the reason given; the worker goes on."""

    task: int
    failure: Failure


@dataclass(frozen=True)
class GaveBack:
    """The task is not done and nothing is wrong with it."""

    task: int
    reason: GiveBackReason


@dataclass(frozen=True)
class Idle:
    """Nothing is left in hand: what the process weighs (resident bytes), and what it keeps open."""

    rss_bytes: int
    models: tuple[OpenModel, ...]


# ---- from the crew, about a worker ----


@dataclass(frozen=True)
class WorkerDied:
    """The process ended without being asked to, with all it had in hand. `signal`: the one that ended it (POSIX)."""

    exit_code: int
    signal: int | None = None


@dataclass(frozen=True)
class WorkerLeft:
    """The process ended as it was asked to. Tasks it had not answered for were not its fault."""


FromWorker: TypeAlias = Ready | Prepared | TileDone | Done | Failed | GaveBack | Idle
FromCrew: TypeAlias = FromWorker | WorkerDied | WorkerLeft
