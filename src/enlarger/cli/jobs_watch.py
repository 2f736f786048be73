"""Follows a job of a running server until its end: a moving bar for a person, a line now and then for a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from enlarger.cli.amounts import format_span
from enlarger.cli.jobs_client import Event, JobsClient
from enlarger.cli.progress import Display, JobBar
from enlarger.errors import ServerError
from enlarger.messages import Message, msg

FINAL = frozenset({"done", "partial", "failed", "cancelled"})
_PATIENCE_S = 120.0  # so long a server may take to come back
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0


def follow(
    client: JobsClient,
    job_id: str,
    after: int,
    *,
    lost: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Each event from number `after` + 1 on once, up to the one that ends the job, across restarts of the server.

    `lost` is called when the server went away. Raises ServerError when it stays away, and when it was never there.
    """
    pause_s, silent_since, was_there = _FIRST_PAUSE_S, clock(), False
    while True:
        try:
            with client.stream(job_id, after) as events:
                was_there = True
                for event in events:
                    pause_s, silent_since = _FIRST_PAUSE_S, clock()
                    yield event
                    if event.number is not None:
                        after = event.number
                        if event.data["state"] in FINAL:
                            return
        except ServerError:
            if not was_there or clock() - silent_since > _PATIENCE_S:
                raise
        if pause_s == _FIRST_PAUSE_S:
            lost()
        sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


@dataclass
class Progress:
    """Where a job is, from its events; pages that were done when the watching began say nothing about its speed."""

    total: int
    done: int
    failed: int
    state: str
    clock: Callable[[], float] = time.monotonic
    shares: dict[str, float] = field(default_factory=dict)
    page: str = ""

    def __post_init__(self) -> None:
        self._began_s, self._before = self.clock(), self.finished

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Progress:
        """As the job stands."""
        counts = job["counts"]
        return cls(counts["total"], counts["done"], counts["failed"], job["state"])

    @property
    def finished(self) -> int:
        """Pages that need nothing more."""
        return self.done + self.failed

    @property
    def completed(self) -> float:
        """Pages, those in hand by their share."""
        return min(self.finished + sum(self.shares.values()), max(self.total, 1))

    @property
    def left_s(self) -> float | None:
        """Seconds until the last page is done; None until there is something to reckon from."""
        computed, elapsed_s = self.completed - self._before, self.clock() - self._began_s
        if computed <= 0 or elapsed_s <= 0 or self.state != "running":
            return None
        return (self.total - self.completed) * elapsed_s / computed

    def take(self, event: Event) -> None:
        """What the event changes."""
        data = event.data
        if event.number is None:
            if "share" in data:
                self.page = str(data["page"])
                self.shares[self.page] = float(data["share"])
            return
        self.total, self.done, self.failed, self.state = data["total"], data["done"], data["failed"], data["state"]
        if data.get("type") in ("page_done", "page_failed"):
            self.shares.pop(str(data.get("page")), None)
        elif self.state != "running":
            self.shares.clear()


def watch(client: JobsClient, job: Mapping[str, Any], display: Display) -> dict[str, Any]:
    """The job at its end, shown on the way there."""
    title = job.get("title") or job["id"][:8]
    progress = Progress.of(job)
    with display.job(title) as bar:
        _show(bar, progress)
        said = progress.state
        if job["state"] not in FINAL:
            for event in follow(client, job["id"], int(job["lastEvent"]), lost=lambda: _tell_lost(display)):
                progress.take(event)
                _show(bar, progress)
                for line in _lines(event, progress, said, display.moves):
                    display.say(line)
                said = progress.state
    return client.get(job["id"])


def _show(bar: JobBar | None, progress: Progress) -> None:
    if bar is None:
        return
    left_s, share = progress.left_s, progress.shares.get(progress.page)
    page = progress.page if share is None else f"{progress.page} {share:.0%}"
    bar.update(
        completed=progress.completed,
        total=progress.total,
        pages=f"{progress.finished}/{progress.total or '?'}",
        left="" if left_s is None else str(msg("{span} left", span=format_span(left_s))),
        page=page if share is not None else str(state_word(progress.state)),
    )


def _lines(event: Event, progress: Progress, said: str, moves: bool) -> Iterator[Message | str]:
    """What is worth a line of its own: failed pages, other states, and where no bar moves each finished page."""
    kind = event.data.get("type")
    if kind == "page_failed":
        yield msg("{page}: {reason}", page=event.data.get("page", ""), reason=error_text(event.data.get("error")))
    elif kind == "fetching" and not event.data.get("bytes"):  # the first of many
        yield msg("The weights of {model} are being fetched.", model=event.data.get("model", ""))
    elif kind == "page_done" and not moves:
        yield f"{progress.finished}/{progress.total} {event.data.get('page', '')}"
    elif event.number is not None and progress.state != said and not moves and progress.state not in FINAL:
        yield state_word(progress.state)


def _tell_lost(display: Display) -> None:
    display.say(msg("The server is gone for the moment; waiting for it. The job goes on when it is back."))


def state_word(state: str) -> Message:
    """A job's state as a person says it."""
    words = {
        "queued": msg("waiting"),
        "running": msg("running"),
        "paused": msg("paused"),
        "packing": msg("being packed"),
        "done": msg("done"),
        "partial": msg("done, some pages failed"),
        "failed": msg("failed"),
        "cancelled": msg("cancelled"),
    }
    return words.get(state) or Message("{state}", {"state": state})


def error_text(error: object) -> str:
    """The sentence of an error in JSON: told by the server, or as stored, templates and facts apart."""
    if not isinstance(error, Mapping):
        return str(error or "")
    sentences = [_sentence(error[name]) for name in ("message", "detail", "remedy") if error.get(name)]
    return reduce(lambda first, second: str(msg("{first} {second}", first=first, second=second)), sentences or [""])


def _sentence(part: object) -> str:
    if not isinstance(part, Mapping):
        return str(part)
    return str(Message(str(part["template"]), {name: _fact(value) for name, value in part["facts"].items()}))


def _fact(value: object) -> object:
    return _sentence(value) if isinstance(value, Mapping) else value
