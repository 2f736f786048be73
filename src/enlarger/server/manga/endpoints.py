"""The manga contract's HTTP calls: validate, hand to a thread, answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import HTTPException, Query, Request
from fastapi.responses import FileResponse, Response

from enlarger.errors import InputError, RecipeError, UnknownModelError
from enlarger.jobs import Job
from enlarger.server.languages import language_of
from enlarger.server.manga.errors import invalid
from enlarger.server.manga.health import health
from enlarger.server.manga.model_list import model_list
from enlarger.server.manga.service import MangaService, location_of
from enlarger.server.manga.states import finished_artifact, job_report, job_state
from enlarger.server.manga.wire import (
    Health,
    JobCreate,
    JobList,
    JobReport,
    JobResume,
    JobState,
    JobSubmitted,
    ModelList,
    Status,
    Text,
)
from enlarger.server.ranges import is_current
from enlarger.server.threads import in_thread


class Endpoints:
    """One method a call; the routes are in `app`."""

    def __init__(self, service: MangaService) -> None:
        self._service = service
        self._jobs = service.jobs

    async def create(self, body: JobCreate, request: Request) -> JobSubmitted:
        """Store a job; it is answered for once this returns."""
        language = language_of(request.scope)
        try:
            job = await in_thread(self._service.submit, body)
        except (RecipeError, UnknownModelError) as error:
            raise invalid(location_of(error), error, language) from error
        except InputError as error:
            raise HTTPException(400, error.text(language)) from error
        return JobSubmitted(job_id=job.id)

    async def find(
        self,
        request: Request,
        status: Annotated[Status | None, Query(description="Only jobs that show so.")] = None,
        before: Annotated[Text | None, Query(description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        """All jobs, the newest first."""
        language = language_of(request.scope)

        def listed() -> str:
            jobs, cursor = self._service.find(status, before or "", limit)
            found = JobList(jobs=[job_state(job, language) for job in jobs], next=cursor or None)
            return found.model_dump_json()

        try:
            return Response(await in_thread(listed), media_type="application/json")
        except InputError as error:
            raise HTTPException(400, error.text(language)) from error

    async def show(self, job_id: str, request: Request) -> JobState:
        """The job as it stands."""
        return self._state(await in_thread(self._jobs.get, job_id), request)

    async def resume(self, job_id: str, request: Request, body: JobResume | None = None) -> JobState:
        """Go on where the job stopped; finished pages stay. A running or complete job is returned unchanged."""
        try:
            return self._state(await in_thread(self._service.resume, job_id, body or JobResume()), request)
        except InputError as error:
            raise HTTPException(400, error.text(language_of(request.scope))) from error

    async def cancel(self, job_id: str, request: Request) -> JobState:
        """Stop the job; it shows as FAILED, "Cancelled by user". One that has ended stays as it ended."""
        return self._state(await in_thread(self._service.cancel, job_id), request)

    async def delete(self, job_id: str) -> None:
        """Remove the job, its pages and its artifact; a running one has to be cancelled first."""
        await in_thread(self._service.delete, job_id)

    async def artifact(self, job_id: str, request: Request) -> Response:
        """The finished archive; ETag is its SHA-256, without quotes."""
        path, sha256 = await in_thread(self._artifact, job_id)
        headers = {"ETag": sha256}
        if is_current(request.headers.get("if-none-match", ""), sha256):
            return Response(status_code=304, headers=headers)
        return FileResponse(path, media_type="application/zip", filename=path.name, headers=headers)

    async def report(self, job_id: str, request: Request) -> JobReport:
        """How the job ended, in short."""
        return job_report(await in_thread(self._jobs.get, job_id), language_of(request.scope))

    async def models(self) -> ModelList:
        """Models that a job may name."""
        return model_list(self._jobs.catalog)

    async def health(self) -> Health:
        """That the server is here, and what it is doing."""
        return await in_thread(health, self._jobs)

    def _artifact(self, job_id: str) -> tuple[Path, str]:
        job = self._jobs.get(job_id)
        artifact = finished_artifact(job)
        if artifact is None:
            raise HTTPException(409, "Job not finished yet")
        path = self._jobs.artifact_path(job)
        if not path.is_file():
            raise HTTPException(410, "Artifact missing")
        return path, artifact.sha256

    def _state(self, job: Job, request: Request) -> JobState:
        return job_state(job, language_of(request.scope))
