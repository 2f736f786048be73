"""Pictures and archives coming in: streamed to disk piece by piece, within limits, durable before they are used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from starlette.requests import ClientDisconnect, Request

from enlarger.messages import msg
from enlarger.server.form_sink import FileSink, FormSink, Upload, UploadedFile, UploadLimits, sync_tree
from enlarger.server.pace import Arrival
from enlarger.server.refusals import BadRequestError, SlowBodyError, TooLargeError
from enlarger.server.threads import in_thread
from enlarger.server.upload_names import safe_upload_name
from enlarger.storage import drop_tree, require_room

__all__ = ["Upload", "UploadLimits", "UploadedFile", "receive_form", "receive_raw"]

_PIECE_BYTES = 1 << 20  # what is gathered before a thread is asked to write it


async def receive_form(request: Request, folder: Path, limits: UploadLimits) -> Upload:
    """A multipart form, its files in `folder`, durable on return; nothing is left there after an error.

    Raises TooLargeError, SlowBodyError, BadRequestError, UnsupportedMediaError, StorageError.
    """
    await _check_size(request, folder, limits)
    sink = FormSink(request.headers.get("content-type", ""), folder, limits)
    async with _emptied_on_error(folder, sink.close):
        async for piece in _pieces(request, limits):
            await in_thread(sink.feed, piece)
        return await in_thread(sink.finish)


async def receive_raw(request: Request, folder: Path, name: str, limits: UploadLimits) -> UploadedFile:
    """The body as one file in `folder`, durable on return; raises as `receive_form` does, and when it is empty."""
    await _check_size(request, folder, limits)
    sink = await in_thread(FileSink, folder, safe_upload_name(name))
    async with _emptied_on_error(folder, sink.close):
        async for piece in _pieces(request, limits):
            await in_thread(sink.write, piece)
        file = await in_thread(sink.finish)
        if not file.bytes:
            raise BadRequestError(msg("The request has no body."), msg("Send the picture's bytes as the body."))
        await in_thread(sync_tree, folder, [file.path])
        return file


async def _check_size(request: Request, folder: Path, limits: UploadLimits) -> None:
    """Refuse what is announced as too large before any of it is read."""
    announced = request.headers.get("content-length", "")
    size_bytes = int(announced) if announced.isdecimal() else 0
    if size_bytes > limits.max_bytes:
        raise _too_large(limits)
    await in_thread(require_room, folder.parent, size_bytes)


async def _pieces(request: Request, limits: UploadLimits) -> AsyncIterator[bytes]:
    """The body in pieces of about a megabyte; raises TooLargeError, SlowBodyError, BadRequestError."""
    gathered, total_bytes = bytearray(), 0
    stream, arrival = request.stream(), Arrival(limits.chunk_timeout_s)
    while chunk := await _next_chunk(stream, arrival, limits.chunk_timeout_s):
        arrival.came(len(chunk))
        total_bytes += len(chunk)
        if total_bytes > limits.max_bytes:
            raise _too_large(limits)
        gathered += chunk
        if len(gathered) >= _PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _next_chunk(stream: AsyncIterator[bytes], arrival: Arrival, timeout_s: float) -> bytes:
    """The next bytes, none at the end."""
    try:
        with arrival.waiting():
            async for chunk in stream:
                if chunk:
                    return chunk
    except TimeoutError as error:
        raise SlowBodyError(
            msg("Nothing more came for {seconds} seconds.", seconds=f"{timeout_s:g}"), msg("Send the request again.")
        ) from error
    except ClientDisconnect as error:
        raise BadRequestError(msg("The connection was closed before the request was whole.")) from error
    return b""


@asynccontextmanager
async def _emptied_on_error(folder: Path, close: Callable[[], None]) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            await in_thread(close)
            await in_thread(drop_tree, folder)
        raise


def _too_large(limits: UploadLimits) -> TooLargeError:
    return TooLargeError(
        msg("The upload is larger than {most} MB.", most=limits.max_bytes // 1_000_000),
        msg(
            "Send less at once, put the files into the storage's folder “incoming”, or raise ENLARGER_MAX_UPLOAD_BYTES."
        ),
    )
