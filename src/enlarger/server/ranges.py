"""Files as answers: by range, with the digest as ETag, told apart when they are unchanged or gone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from enlarger.messages import msg
from enlarger.server.refusals import GoneError, RangeError
from enlarger.server.threads import in_thread

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".zip": "application/zip",
    ".cbz": "application/vnd.comicbook+zip",
}
_PART = r"(?:\d{1,18}-\d{0,18}|-\d{1,18})"
_RANGE = re.compile(rf"bytes=\s*{_PART}\s*(?:,\s*{_PART}\s*)*", re.ASCII)
_CHUNK_BYTES = 256 * 1024


class _RangedFile(FileResponse):
    """As Starlette's, but a Range it cannot read is ignored, as RFC 9110 wants it, and pieces are larger."""

    chunk_size = _CHUNK_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_readable(Headers(scope=scope).get("range", "")):
            headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
            scope = {**scope, "headers": headers}
        await super().__call__(scope, receive, send)


async def file_response(
    request: Request,
    path: Path,
    *,
    sha256: str,
    filename: str | None = None,
    headers: Mapping[str, str] | None = None,
    background: BackgroundTask | None = None,
) -> Response:
    """The file whole or by range, 304 when the client has it; raises GoneError.

    filename: what it is saved as; without one it is shown.
    """
    everything = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache", **(headers or {})}
    try:
        stat = await in_thread(os.stat, path)
    except OSError as error:
        raise GoneError(
            msg("{name}: this file was removed.", name=path.name), msg("Submit the job again to have it made anew.")
        ) from error
    if is_current(request.headers.get("if-none-match", ""), sha256):
        return Response(status_code=304, headers=everything, background=background)
    if not _is_within(request.headers.get("range", ""), stat.st_size):
        raise RangeError(msg("The file ends before this range; it has {bytes} bytes.", bytes=stat.st_size))
    media_type = MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
    return _RangedFile(
        path, headers=everything, media_type=media_type, filename=filename, stat_result=stat, background=background
    )


def is_current(if_none_match: str, sha256: str) -> bool:
    """Whether the client's copy, by an ETag quoted, weak or bare, is the file."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")]
    return sha256 in tags or "*" in tags


def _is_within(header: str, size_bytes: int) -> bool:
    """Whether every range that can be read begins inside the file."""
    return not _is_readable(header) or all(int(start) < size_bytes for start, _ in _pairs(header) if start)


def _is_readable(header: str) -> bool:
    """Whether it is a byte range in which no end lies before its start."""
    if not _RANGE.fullmatch(header.strip()):
        return False
    return all(not (start and end) or int(start) <= int(end) for start, end in _pairs(header))


def _pairs(header: str) -> list[tuple[str, str]]:
    parts = (part.strip().partition("-") for part in header.strip().removeprefix("bytes=").split(","))
    return [(start, end) for start, _, end in parts]
