"""What a job made: its pages, their pictures, the archive and the report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from enlarger.jobs import JobState, Page, PageState
from enlarger.messages import msg
from enlarger.pictures import FORMATS
from enlarger.server.ranges import file_response
from enlarger.server.refusals import NotReadyError
from enlarger.server.threads import in_thread
from enlarger.server.v1.job_routes import JobId
from enlarger.server.v1.service import Language, Serving
from enlarger.server.v1.views import json_of, page_view
from enlarger.server.v1.wire import Listed, PageView

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])

Position = Annotated[int, Path(ge=0, le=10_000_000, description="From 0, in reading order.", examples=[0])]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TAGGED = {"ETag": {"schema": {"type": "string"}, "description": "SHA-256 of the file, hex, quoted."}}


def _file(*media_types: str) -> dict[int | str, dict[str, Any]]:
    content = dict.fromkeys(media_types, _BINARY)
    return {
        200: {"description": "The file.", "content": content, "headers": _TAGGED},
        206: {"description": "A range of it.", "content": content, "headers": _TAGGED},
        304: {"description": "The client has it already.", "headers": _TAGGED},
    }


IMAGE = _file(*(known.media_type for known in FORMATS.values()))
_ARTIFACT = _file("application/zip", "application/vnd.comicbook+zip")


@router.get("/pages", response_model=Listed[PageView])
async def pages(
    service: Serving,
    language: Language,
    job_id: JobId,
    state: Annotated[list[PageState], Query(description="Only pages in one of these states.")] = [],  # noqa: B006
    after: Annotated[str, Query(max_length=9, pattern=r"^\d*$", description="`next` of the list before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Pages in reading order."""

    def listed() -> Response:
        service.jobs.get(job_id)
        found = service.jobs.pages(job_id, states=state, after=int(after) if after else -1, limit=limit)
        more = str(found[-1].position) if len(found) == limit else ""
        return json_of(Listed[PageView](items=[page_view(page, language) for page in found], next=more))

    return await in_thread(listed)


@router.get("/pages/{position}")
async def page(service: Serving, language: Language, job_id: JobId, position: Position) -> PageView:
    """One page."""
    return page_view(await in_thread(service.jobs.page, job_id, position), language)


@router.api_route("/pages/{position}/image", methods=["HEAD"], include_in_schema=False)
@router.get("/pages/{position}/image", response_class=Response, responses=IMAGE)
async def image(service: Serving, request: Request, job_id: JobId, position: Position) -> Response:
    """A finished page's picture, whole or by range."""
    found: Page = await in_thread(service.jobs.page, job_id, position)
    if found.result is None:
        raise NotReadyError(
            msg("{name}: this page is not finished.", name=found.name), msg("Follow the job's events until it is.")
        )
    path = await in_thread(service.jobs.output_path, found)
    return await file_response(request, path, sha256=found.result.output_sha256)


@router.api_route("/artifact", methods=["HEAD"], include_in_schema=False)
@router.get("/artifact", response_class=Response, responses=_ARTIFACT)
async def artifact(service: Serving, request: Request, job_id: JobId) -> Response:
    """The finished archive, whole or by range."""
    job = await in_thread(service.jobs.get, job_id)
    if job.artifact is None:
        made = job.state.is_final and (not job.submission.packs or job.state in (JobState.FAILED, JobState.CANCELLED))
        raise NotReadyError(
            msg("Job {job} has no artifact.", job=job_id) if made else msg("Job {job} is not finished.", job=job_id),
            msg("Its finished pages can be fetched one by one.") if made else msg("Follow its events until it is."),
        )
    path = await in_thread(service.jobs.artifact_path, job)
    return await file_response(request, path, sha256=job.artifact.sha256, filename=path.name)


@router.get("/report", response_model=dict[str, Any])
async def report(service: Serving, job_id: JobId) -> Response:
    """What `artifact-report.json` says, as the job stands now."""
    return await in_thread(lambda: JSONResponse(service.jobs.report(job_id)))
