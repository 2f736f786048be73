"""Jobs of a server as tables and lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enlarger.cli.amounts import format_bytes, format_span
from enlarger.cli.jobs_watch import error_text, state_word
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from rich.table import Table


def table(jobs: Sequence[Mapping[str, Any]]) -> Table:
    """One line a job."""
    from rich.table import Table

    heads = (msg("ID"), msg("State"), msg("Pages"), msg("Submitted"), msg("Title"))
    lines = Table(*map(str, heads), box=None, pad_edge=False, header_style="bold")
    for job in jobs:
        lines.add_row(job["id"][:8], str(state_word(job["state"])), _pages(job), _time(job["createdAt"]), title(job))
    return lines


def described(job: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Everything a person asks about one job."""
    yield f"{job['id']}  {title(job)}"
    for name, value in _facts(job):
        yield str(msg("{name}: {value}", name=name, value=value))
    for page in failed:
        yield str(msg("{page}: {reason}", page=page["name"], reason=error_text(page["error"])))


def ending(job: Mapping[str, Any]) -> Message:
    """How a job ended, in one sentence."""
    reason = job.get("reason")
    if job["state"] == "failed" and reason:
        return msg("{title}: failed. {reason}", title=title(job), reason=error_text(reason))
    return msg("{title}: {state}; pages: {pages}", title=title(job), state=state_word(job["state"]), pages=_pages(job))


def title(job: Mapping[str, Any]) -> str:
    """Title and volume, or the id where there is neither."""
    return " ".join(filter(None, (job.get("title"), job.get("volume")))) or str(job["id"])


def _facts(job: Mapping[str, Any]) -> Iterator[tuple[Message, object]]:
    yield msg("State"), state_word(job["state"])
    if job.get("reason"):
        yield msg("Reason"), error_text(job["reason"])
    yield msg("Pages"), _pages(job)
    yield msg("Submitted"), _time(job["createdAt"])
    if job.get("startedAt") and job.get("finishedAt"):
        yield msg("Took"), format_span(job["finishedAt"] - job["startedAt"])
    if artifact := job.get("artifact"):
        yield msg("Archive"), f"{artifact['path']} ({format_bytes(artifact['bytes'])})"
        yield msg("SHA-256"), artifact["sha256"]


def _pages(job: Mapping[str, Any]) -> str:
    counts = job["counts"]
    done = f"{counts['done']}/{counts['total'] or '?'}"
    return str(msg("{done} ({failed} failed)", done=done, failed=counts["failed"])) if counts["failed"] else done


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
