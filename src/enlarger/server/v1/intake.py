"""How a job comes in: a path that the server can see, or files streamed to the job's own folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import anyio
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from enlarger.books import is_page_name, looks_like_book
from enlarger.errors import InputError, UnknownBookError
from enlarger.jobs import Job, JobSource, Submission
from enlarger.messages import msg
from enlarger.server.form_sink import Upload
from enlarger.server.refusals import BadRequestError
from enlarger.server.threads import in_thread
from enlarger.server.uploads import receive_form
from enlarger.server.v1.options import JobOptions, JobRequest, given, priority_of
from enlarger.server.v1.service import OWNER, Service
from enlarger.storage import drop_tree

_UPLOADED = "upload"  # below staging/<job id>/
Options = TypeVar("Options", bound=BaseModel)


def checked(kind: type[Options], fields: Mapping[str, Any], where: str) -> Options:
    """The options that the fields say; raises RequestValidationError as FastAPI does."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error, where) from error


async def submit_path(service: Service, request: Request, key: str | None) -> tuple[Job, bool]:
    """A job over a path, from the JSON body; (job, whether it is new)."""
    try:
        options = JobRequest.model_validate_json(await request.body())
    except ValidationError as error:
        raise _invalid(error, "body") from error
    return await in_thread(_submit_path, service, options, key)


async def submit_upload(service: Service, request: Request, key: str | None) -> tuple[Job, bool]:
    """A job over the files of a multipart form; (job, whether it is new)."""
    job_id = str(uuid4())
    folder = service.jobs.storage.upload_dir(job_id) / _UPLOADED
    try:
        upload = await receive_form(request, folder, service.limits)
        options = checked(JobOptions, {**given(request.query_params), **given(upload.fields)}, "body")
        job, created = await in_thread(_submit_upload, service, options, upload, key, job_id, folder)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await in_thread(drop_tree, folder.parent)
        raise
    if not created:  # the same request came before; its own files are there
        await in_thread(drop_tree, folder.parent)
    return job, created


def source_of(path: Path, *, recursive: bool = True) -> JobSource:
    """What the path is, of a folder not `recursive` what lies in it directly; InputError when it holds no pages."""
    if path.is_dir():
        return JobSource("folder" if recursive else "pictures", path)
    if looks_like_book(path):
        return JobSource("archive", path)
    if is_page_name(path.name):
        return JobSource("picture", path)
    raise InputError(
        msg("{path}: this is not a folder, archive or picture.", path=path.name),
        msg("Hand in pictures, a folder of them, or one zip, cbz, rar, 7z, PDF or EPUB."),
    )


def _submit_path(service: Service, options: JobRequest, key: str | None) -> tuple[Job, bool]:
    source = source_of(_located(service, options.path), recursive=options.recursive)
    return service.jobs.submit(_submission(service, options, source, key))


def _located(service: Service, path: str) -> Path:
    """Below the storage root, in an allowed folder, or, named whole, on the shelf; raises InputError."""
    try:
        return service.jobs.storage.resolve(path)
    except InputError:
        if Path(path).is_absolute():
            with suppress(UnknownBookError):
                return service.shelf.locate(service.shelf.id_of(Path(os.path.normpath(path))))
        raise


def _submit_upload(
    service: Service, options: JobOptions, upload: Upload, key: str | None, job_id: str, folder: Path
) -> tuple[Job, bool]:
    if not upload.files:
        raise BadRequestError(
            msg("There is no file in the form."), msg("Send pictures or one archive as file parts of the form.")
        )
    single = source_of(upload.files[0].path) if len(upload.files) == 1 else None
    source = single if single is not None and single.kind == "archive" else JobSource("folder", folder)
    if source.kind == "folder" and not any(is_page_name(file.name) for file in upload.files):
        raise InputError(
            msg("None of the files is a picture."),
            msg("Hand in pictures, or exactly one archive: zip, cbz, rar, 7z, PDF or EPUB."),
        )
    return service.jobs.submit(_submission(service, options, source, key, upload, job_id))


def _submission(
    service: Service,
    options: JobOptions,
    source: JobSource,
    key: str | None,
    upload: Upload | None = None,
    job_id: str = "",
) -> Submission:
    params = options.model_dump(by_alias=True, exclude_unset=True)
    return Submission(
        source=source,
        recipe=options.recipe(service.jobs.catalog),
        title=options.title or _title(source, upload),
        volume=options.volume,
        priority=priority_of(options.priority),
        device=options.device,
        packs=options.packs,
        owner=OWNER,
        idempotency_key=key,
        params=params if upload is None else {**params, "uploadSha256": _digest(upload)},
        id=job_id,
    )


def _title(source: JobSource, upload: Upload | None) -> str:
    """A folder that was uploaded has no name of its own: its first file's then."""
    path = source.path if upload is None or source.kind != "folder" else Path(upload.files[0].name)
    return path.name if source.kind in ("folder", "pictures") and upload is None else path.stem


def _digest(upload: Upload) -> str:
    """What tells this upload from any other with the same options: names and bytes."""
    contents = sorted((file.name, file.sha256) for file in upload.files)
    return hashlib.sha256(json.dumps(contents).encode()).hexdigest()


def _invalid(error: ValidationError, where: str) -> RequestValidationError:
    return RequestValidationError([{**each, "loc": (where, *each["loc"])} for each in error.errors()])
