"""The picture that a reader hands over, kept in memory: whatever fails afterwards, it can be given back."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from enlarger.errors import PictureError
from enlarger.pictures import FORMATS, read_header
from enlarger.server.pace import Arrival

MAX_BYTES = 128 * 1024**2
_CHUNK_TIMEOUT_S = 30.0
_FIELD = "image"
_PICTURE_TYPE = re.compile(r"image/[A-Za-z0-9.+-]{1,60}")  # it came from outside and goes into a header


class _MemoryParser(MultiPartParser):
    """Never to disk: a full one must not cost the reader the page."""

    spool_max_size = MAX_BYTES + 1


@dataclass(frozen=True)
class Original:
    """The bytes as they came, and what they were said to be."""

    data: bytes
    said: str = ""

    @property
    def media_type(self) -> str:
        """What they are; where that cannot be seen, what they were said to be."""
        try:
            return FORMATS[read_header(self.data, name=_FIELD).format].media_type
        except PictureError:
            return self.said if _PICTURE_TYPE.fullmatch(self.said) else "application/octet-stream"


async def read_original(request: Request, take: Callable[[int], None]) -> Original:
    """The form's field `image`, else its first file, else the body itself; without one HTTPException 400, 408, 413.

    take: called with the size of each piece before it is kept.
    """
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        original = await _from_form(request, take)
    else:
        original = Original(b"".join([chunk async for chunk in _body(request, take)]), kind)
    if not original.data:
        raise HTTPException(400, "There is no picture in this request: send it as the form field “image”.")
    return original


async def _from_form(request: Request, take: Callable[[int], None]) -> Original:
    try:
        form = await _MemoryParser(request.headers, _body(request, take), max_files=16).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    files = [value for name, value in form.multi_items() if isinstance(value, UploadFile)]
    chosen = form.get(_FIELD)
    file = chosen if isinstance(chosen, UploadFile) else next(iter(files), None)
    original = Original(b"") if file is None else Original(await file.read(), file.content_type or "")
    await form.close()
    return original


async def _body(request: Request, take: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """The body in pieces, none of them waited for too long, not more than fits."""
    received, pieces, arrival = 0, aiter(request.stream()), Arrival(_CHUNK_TIMEOUT_S)
    while True:
        try:
            with arrival.waiting():
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise HTTPException(408, "The picture did not arrive.") from error
        received += len(piece)
        arrival.came(len(piece))
        if received > MAX_BYTES:
            raise HTTPException(413, f"Pictures of more than {MAX_BYTES // 1024**2} MiB are not taken.")
        take(len(piece))
        yield piece
