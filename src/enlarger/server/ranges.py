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
from enlarger.pictures import FORMATS, SUFFIXES
from enlarger.server.refusals import GoneError, RangeError
from enlarger.server.threads import in_thread

MEDIA_TYPES = {
    **{suffix: FORMATS[name].media_type for suffix, name in SUFFIXES.items()},
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
        raise _behind_the_end(stat.st_size)
    media_type = MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
    return _RangedFile(
        path, headers=everything, media_type=media_type, filename=filename, stat_result=stat, background=background
    )


def bytes_response(
    request: Request, data: bytes, *, tag: str, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Bytes that are no file of their own, whole or by one range; several at once are answered by all of it."""
    everything = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Accept-Ranges": "bytes", **(headers or {})}
    part = byte_range(request.headers, len(data), tag)
    if part is None:
        return Response(data, headers=everything, media_type=media_type)
    everything["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(data)}"
    return Response(data[part.start : part.stop], 206, headers=everything, media_type=media_type)


def unchanged(tag: str, headers: Mapping[str, str] | None = None) -> Response:
    """304: the client has these bytes."""
    return Response(
        status_code=304, headers={"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", **(headers or {})}
    )


def byte_range(headers: Mapping[str, str], size_bytes: int, tag: str) -> range | None:
    """The one range of bytes that is asked for, None for all; raises RangeError when it begins behind the end.

    As RFC 9110 wants it, what cannot be read is ignored, and so is a range of what If-Range says was another version.
    """
    header = headers.get("range", "")
    wanted = headers.get("if-range", "")
    if not _is_readable(header) or "," in header or (wanted and wanted.strip() != f'"{tag}"'):
        return None
    start, end = _pairs(header)[0]
    if not start:
        return range(max(0, size_bytes - int(end)), size_bytes) if int(end) and size_bytes else None
    if int(start) >= size_bytes:
        raise _behind_the_end(size_bytes)
    return range(int(start), min(int(end) + 1 if end else size_bytes, size_bytes))


def is_current(if_none_match: str, sha256: str) -> bool:
    """Whether the client's copy, by an ETag quoted, weak or bare, is the file."""
    tags = _tags(if_none_match)
    return sha256 in tags or "*" in tags


def named_tags(if_match: str) -> frozenset[str] | None:
    """The tags of which one has to be the thing's own; None: whatever it is, as `*` and no header say."""
    tags = _tags(if_match) if if_match.strip() else frozenset("*")
    return None if "*" in tags else tags


def _tags(header: str) -> frozenset[str]:
    """ETags without their quotes; a proxy that compressed the answer has made them weak."""
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))


def _behind_the_end(size_bytes: int) -> RangeError:
    return RangeError(msg("The file ends before this range; it has {bytes} bytes.", bytes=size_bytes))


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
