"""Jobs: submitted, listed, looked at, steered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from enlarger.jobs import Job, JobState
from enlarger.messages import msg
from enlarger.server.refusals import UnsupportedMediaError
from enlarger.server.threads import in_thread
from enlarger.server.v1.intake import submit_path, submit_upload
from enlarger.server.v1.options import JobOptions, JobRequest, priority_of
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.verifying import verified
from enlarger.server.v1.views import job_view, json_of
from enlarger.server.v1.wire import EXAMPLE_ID, JobView, Listed, PriorityRequest, VerificationView

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

JobId = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z-]+$", examples=[EXAMPLE_ID])]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        pattern=r"^[ -~]+$",
        description="The same key with the same request gives the same job, however often it is sent.",
    ),
]
_FORM: dict[str, Any] = {
    **JobOptions.model_json_schema(ref_template="#/components/schemas/{model}"),
    "title": "JobUpload",
}
_FORM["properties"] = {
    **_FORM["properties"],
    "files": {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "description": "Pictures or an archive.",
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": JobRequest.model_json_schema(ref_template="#/components/schemas/{model}"),
                "example": {"path": "berserk-01.cbz", "title": "Berserk", "volume": "01", "scale": 2, "noise": "1"},
            },
            "multipart/form-data": {"schema": _FORM},
        },
    }
}


@router.post("", status_code=202, openapi_extra=_BODY, responses={200: {"description": "It was submitted before."}})
async def submit(
    service: Serving, language: Language, request: Request, response: Response, key: Key = None
) -> JobView:
    """Submit a job; it is stored before the answer comes.

    As JSON over a path that the server can see, or as a form with pictures or one archive. Options that decide the
    pixels are those of `/v1/upscale`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        job, created = await submit_upload(service, request, key)
    elif kind in ("application/json", ""):
        job, created = await submit_path(service, request, key)
    else:
        raise UnsupportedMediaError(
            msg("A job cannot be read from “{type}”.", type=kind),
            msg("Send application/json with a path, or multipart/form-data with files."),
        )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    response.status_code = 202 if created else 200
    return _view(service, job, language)


@router.get("", response_model=Listed[JobView])
async def find(
    service: Serving,
    language: Language,
    state: Annotated[list[JobState], Query(description="Only jobs in one of these states.")] = [],  # noqa: B006
    text: Annotated[str, Query(max_length=200, description="Only jobs whose title, volume or id has it.")] = "",
    transient: Annotated[bool, Query(description="Single pictures too.")] = False,
    after: Annotated[str, Query(max_length=200, description="`next` of the list before.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    """Jobs, newest first."""

    def listed() -> Response:
        jobs, cursor = service.jobs.find(states=state, text=text, transient=transient, before=after, limit=limit)
        return json_of(Listed[JobView](items=[_view(service, job, language) for job in jobs], next=cursor))

    return await in_thread(listed)


@router.get("/{job_id}", response_model=JobView)
async def show(service: Serving, language: Language, job_id: JobId) -> Response:
    """One job."""
    return await in_thread(lambda: json_of(_view(service, service.jobs.get(job_id), language)))


@router.delete("/{job_id}", status_code=204)
async def delete(service: Serving, job_id: JobId) -> None:
    """Take it away with all that it made; a job that is at work has to be cancelled first."""
    await in_thread(service.jobs.delete, job_id)


@router.post("/{job_id}/pause")
async def pause(service: Serving, language: Language, job_id: JobId) -> JobView:
    """No page begins any more; what is being computed is finished."""
    return _view(service, await in_thread(service.jobs.pause, job_id), language)


@router.post("/{job_id}/resume")
async def resume(service: Serving, language: Language, job_id: JobId) -> JobView:
    """Go on where it was paused."""
    return _view(service, await in_thread(service.jobs.resume, job_id), language)


@router.post("/{job_id}/cancel")
async def cancel(service: Serving, language: Language, job_id: JobId) -> JobView:
    """Stop within a tile; finished pages stay."""
    return _view(service, await in_thread(service.jobs.cancel, job_id), language)


@router.post("/{job_id}/retry")
async def retry(service: Serving, language: Language, job_id: JobId) -> JobView:
    """Failed and cancelled pages once more; finished ones stay."""
    return _view(service, await in_thread(service.jobs.retry, job_id), language)


@router.post("/{job_id}/verify")
async def verify_artifact(service: Serving, language: Language, job_id: JobId) -> VerificationView:
    """Read the artifact whole, and compare it with its report and with the source, where that is still there."""
    return await in_thread(verified, service.jobs, job_id, language)


@router.patch("/{job_id}/priority")
async def prioritise(service: Serving, language: Language, job_id: JobId, body: PriorityRequest) -> JobView:
    """Serve it sooner or later than it was submitted for."""
    return _view(service, await in_thread(service.jobs.prioritise, job_id, priority_of(body.priority)), language)


def _view(service: Service, job: Job, language: str) -> JobView:
    return job_view(job, service.jobs.storage, language)
