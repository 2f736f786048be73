"""One picture in, one picture out: a transient job that somebody waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from enlarger.errors import EnlargerError
from enlarger.jobs import Failure, Job, JobSource, OnlyPage, Submission, only_page
from enlarger.messages import Message, msg
from enlarger.server.ranges import file_response
from enlarger.server.refusals import BadRequestError, NotReadyError, UnavailableError
from enlarger.server.threads import in_thread
from enlarger.server.uploads import receive_form, receive_raw
from enlarger.server.v1.intake import checked
from enlarger.server.v1.options import UpscaleOptions, given, priority_of
from enlarger.server.v1.page_routes import IMAGE
from enlarger.server.v1.service import OWNER, Service, Serving
from enlarger.server.waiting import unless_gone
from enlarger.storage import drop_tree

router = APIRouter(prefix="/v1", tags=["upscale"])

_BINARY = {"type": "string", "format": "binary"}
_OPTIONS = UpscaleOptions.model_json_schema(ref_template="#/components/schemas/{model}")
_FORM = {**_OPTIONS, "title": "UpscaleForm", "required": ["file"]}
_FORM["properties"] = {"file": {**_BINARY, "description": "The picture."}, **_OPTIONS["properties"]}
_EXTRA: dict[str, Any] = {
    "parameters": [
        {"in": "query", "name": name, "required": False, "schema": schema}
        for name, schema in _OPTIONS["properties"].items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/octet-stream": {"schema": _BINARY},
            "image/*": {"schema": _BINARY},
        },
    },
}
_FACTS = {
    "X-Enlarger-Job": "The job's id.",
    "X-Enlarger-Model": "The networks that were run.",
    "X-Enlarger-Runtime": "What they really ran on: runtime, device, dtype.",
    "X-Enlarger-Cache": "hit or miss.",
    "X-Enlarger-Seconds": "What the page took in the worker.",
    "X-Enlarger-Size": "Of the output, width x height.",
}
_PICTURE = {
    **IMAGE[200],
    "description": "The enlarged picture.",
    "headers": {
        **IMAGE[200]["headers"],
        **{name: {"schema": {"type": "string"}, "description": what} for name, what in _FACTS.items()},
    },
}


@router.post("/upscale", response_class=Response, responses={200: _PICTURE}, openapi_extra=_EXTRA)
async def upscale(service: Serving, request: Request) -> Response:
    """A picture in, the enlarged picture out.

    The picture comes as the body, or as the form's file; options as query parameters or form fields, of which the
    form's win. Closing the connection cancels the work.
    """
    job_id = str(uuid4())
    folder = service.jobs.storage.upload_dir(job_id)
    async with _forgotten_on_error(service, job_id, folder):
        submission = await _taken_in(service, request, job_id, folder / "in")
        await in_thread(service.jobs.submit, submission)
        job = await _ended(service, request, job_id)
        page = await in_thread(_page_of, service, job)
        return await file_response(
            request,
            page.file,
            sha256=page.result.output_sha256,
            headers=_facts(job, page),
            background=BackgroundTask(in_thread, _forget, service, job_id, folder),
        )


async def _taken_in(service: Service, request: Request, job_id: str, folder: Path) -> Submission:
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        upload = await receive_form(request, folder, service.limits)
        if len(upload.files) != 1:
            raise BadRequestError(
                msg("One picture was expected, and {count} files came.", count=len(upload.files)),
                msg("Send it as the file part “file”; for several, submit a job."),
            )
        fields, path = upload.fields, upload.files[0].path
    else:
        fields, path = {}, (await receive_raw(request, folder, "picture", service.limits)).path
    options = checked(UpscaleOptions, {**given(request.query_params), **given(fields)}, "query")
    return Submission(
        source=JobSource("picture", path),
        recipe=options.recipe(service.jobs.catalog),
        title=path.stem,
        priority=priority_of(options.priority),
        device=options.device,
        packs=False,
        transient=True,
        owner=OWNER,
        id=job_id,
    )


async def _ended(service: Service, request: Request, job_id: str) -> Job:
    """The job once it is final; raises NotReadyError when the client went away or the job waits for a person."""
    job = await unless_gone(request, lambda: _watched(service, job_id))
    if job is None:
        raise NotReadyError(msg("The connection was closed; the work is cancelled."))
    if not job.state.is_final:
        raise UnavailableError(
            Message("{reason}", {"reason": job.reason.message}) if job.reason else msg("The server is stopping."),
            msg("Send the picture again later."),
        )
    return job


async def _watched(service: Service, job_id: str) -> Job:
    """The job when it ended, was paused, or the server ends."""
    job: Job = await in_thread(service.jobs.get, job_id)
    async with aclosing(service.live.changes(job_id)) as changes:
        async for _ in changes:
            job = await in_thread(service.jobs.get, job_id)
            if job.state.is_final or job.reason is not None:
                break
    return job


def _page_of(service: Service, job: Job) -> OnlyPage:
    """The finished page; raises what it failed with."""
    ended = only_page(service.jobs, job)
    if isinstance(ended, Failure):
        raise ended.as_error()
    return ended


def _facts(job: Job, page: OnlyPage) -> dict[str, str]:
    result = page.result
    passes, size = result.facts.get("passes", ()), result.facts.get("size", ())
    return {
        "X-Enlarger-Job": job.id,
        "X-Enlarger-Model": ", ".join(each["variant"] for each in passes),
        "X-Enlarger-Runtime": ", ".join(dict.fromkeys(_runtime(each) for each in passes)),
        "X-Enlarger-Cache": "miss" if result.computed else "hit",
        "X-Enlarger-Seconds": f"{result.seconds:.3f}",
        "X-Enlarger-Size": "x".join(map(str, size)),
    }


def _runtime(facts: dict[str, Any]) -> str:
    return f"{facts['runtime']} {facts['device']} {facts['dtype']}"


@asynccontextmanager
async def _forgotten_on_error(service: Service, job_id: str, folder: Path) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            await in_thread(_forget, service, job_id, folder)
        raise


def _forget(service: Service, job_id: str, folder: Path) -> None:
    """Nothing is kept but the render in the cache; what a worker still holds goes with the other transient jobs."""
    with suppress(EnlargerError):
        if not service.jobs.get(job_id).state.is_final:
            service.jobs.cancel(job_id)
        service.jobs.delete(job_id)
        return
    with suppress(EnlargerError):
        service.jobs.get(job_id)
        return
    drop_tree(folder)
