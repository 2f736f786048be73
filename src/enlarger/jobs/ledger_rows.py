"""Between the ledger's rows and the values that everybody else reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping

from enlarger.enhance import Recipe
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import (
    Artifact,
    Counts,
    Event,
    Job,
    JobSource,
    JobState,
    NewPage,
    Page,
    PageResult,
    PageState,
    Priority,
    Submission,
)

NO_RESULT: Mapping[str, None] = dict.fromkeys(
    ("output", "input_sha256", "output_sha256", "bytes", "key", "seconds", "computed", "facts")
)


def job_of(row: RowMapping) -> Job:
    """A row of `jobs`."""
    return Job(
        id=row["id"],
        submission=_submission_of(row),
        state=JobState(row["state"]),
        counts=Counts(row["total"], row["done"], row["failed"], row["cancelled"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        listed=row["listed"],
        reason=_failure_of(row["reason"]),
        retries=row["retries"],
        artifact=_artifact_of(row),
        last_event=row["last_event"],
    )


def _submission_of(row: RowMapping) -> Submission:
    return Submission(
        source=JobSource(row["source_kind"], Path(row["source_path"])),
        recipe=Recipe(**row["recipe"]),
        title=row["title"],
        volume=row["volume"],
        priority=Priority(row["priority"]),
        device=row["device"],
        packs=row["packs"],
        transient=row["transient"],
        owner=row["owner"],
        idempotency_key=row["idempotency_key"],
        params=row["params"],
        only=tuple(row["only_pages"] or ()),
        id=row["id"],
    )


def _artifact_of(row: RowMapping) -> Artifact | None:
    if row["artifact_path"] is None:
        return None
    return Artifact(row["artifact_path"], row["artifact_sha256"], row["artifact_bytes"])


def _failure_of(value: Mapping[str, Any] | None) -> Failure | None:
    return None if value is None else Failure.from_json(value)


def page_of(row: RowMapping) -> Page:
    """A row of `pages`."""
    return Page(
        id=row["id"],
        job_id=row["job_id"],
        position=row["position"],
        name=row["name"],
        targets=row["targets"],
        state=PageState(row["state"]),
        attempt=row["attempt"],
        crashes=row["crashes"],
        alone=row["alone"],
        result=PageResult(**{name: row[name] for name in NO_RESULT}) if row["output"] is not None else None,
        failure=_failure_of(row["failure"]),
    )


def event_of(row: RowMapping) -> Event:
    """A row of `events`."""
    return Event(row["job_id"], row["number"], row["at"], row["type"], row["data"])


def new_job_values(submission: Submission, job_id: str, now: float) -> dict[str, Any]:
    """The row that a submission becomes."""
    return {
        "id": job_id,
        "owner": submission.owner,
        "idempotency_key": submission.idempotency_key,
        "request_sha256": request_sha256(submission),
        **source_values(submission.source),
        "title": submission.title,
        "volume": submission.volume,
        "recipe": submission.recipe.as_dict(),
        "params": dict(submission.params),
        "only_pages": list(submission.only) or None,
        "priority": int(submission.priority),
        "device": submission.device,
        "packs": submission.packs,
        "transient": submission.transient,
        "state": JobState.QUEUED,
        "listed": False,
        "created_at": now,
        "updated_at": now,
    }


def source_values(source: JobSource) -> dict[str, Any]:
    """The columns that say where pages come from."""
    return {"source_kind": source.kind, "source_path": str(source.path)}


def request_sha256(submission: Submission) -> str:
    """What a client asked for, without what changes when it asks again: the same request has the same digest.

    An upload lies in a folder named after its job's id, so the id in a path counts for nothing.
    """
    path = str(submission.source.path)
    parts = {
        "source": [submission.source.kind, path.replace(submission.id, "") if submission.id else path],
        "recipe": submission.recipe.as_dict(),
        "title": submission.title,
        "volume": submission.volume,
        "priority": int(submission.priority),
        "device": submission.device,
        "packs": submission.packs,
        "transient": submission.transient,
        "params": dict(submission.params),
        **({"only": list(submission.only)} if submission.only else {}),  # a ledger from before it has other digests
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def new_page_values(job_id: str, position: int, page: NewPage) -> dict[str, Any]:
    """The row that a listed page becomes."""
    return {
        "job_id": job_id,
        "position": position,
        "name": page.name,
        "targets": dict(page.targets),
        "state": PageState.QUEUED if page.failure is None else PageState.FAILED,
        "alone": False,
        "failure": None if page.failure is None else page.failure.as_json(),
    }


def result_values(result: PageResult) -> dict[str, Any]:
    """The columns that a finished page fills."""
    return {name: getattr(result, name) for name in NO_RESULT} | {"facts": dict(result.facts)}


def artifact_values(artifact: Artifact | None) -> dict[str, Any]:
    """The columns that name a job's artifact."""
    found = {"path": None, "sha256": None, "bytes": None} if artifact is None else asdict(artifact)
    return {f"artifact_{name}": value for name, value in found.items()}


def reason_values(reason: Failure | None) -> dict[str, Any]:
    """The columns that say why a job is paused or failed."""
    return (
        {"reason": None, "reason_code": None}
        if reason is None
        else {"reason": reason.as_json(), "reason_code": reason.code}
    )
