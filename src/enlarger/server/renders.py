"""Finished renders by key: the hot path of reading, and so an ASGI endpoint of its own, one hop to a thread each.

A key names the pixels for good, so clients keep what they get for ever, and what they have is confirmed without a
look at the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from pathlib import Path

import anyio
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from enlarger.errors import EnlargerError
from enlarger.messages import msg
from enlarger.server.access import header_of
from enlarger.server.hot_files import HotFiles, second_descriptor
from enlarger.server.problems import problem_response
from enlarger.server.ranges import MEDIA_TYPES, byte_range, is_current
from enlarger.server.refusals import NotFoundError, RefusalError
from enlarger.server.threads import Threads

PREFIX = "/v1/renders/"
KEPT_FOR_EVER = "private, max-age=31536000, immutable"
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PIECE_BYTES = 1 << 20
_MOST_KNOWN = 10_000  # about 500 bytes each
_threads = Threads("enlarger_render_threads", 8)  # a full house elsewhere must not hold up the page being looked at

Renders = Callable[[str], Path | None]
"""Where the render of a key lies; None when it is not kept (any more). May read the disk."""


class MethodRefusedError(RefusalError):
    code = "method_not_allowed"
    status = 405


@dataclass(frozen=True)
class _Known:
    """A render's file as it was when it was looked at, and the answer's headers that follow from it."""

    path: Path
    size_bytes: int
    mtime_ns: int
    sha256: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)

    def is_still(self, found: os.stat_result) -> bool:
        return found.st_size == self.size_bytes and found.st_mtime_ns == self.mtime_ns


@dataclass
class _Opened:
    """What is answered: the first piece is read, `file` is None when there is no more.

    kept: a descriptor of the file, where it may be asked for again soon.
    """

    known: _Known
    part: range | None
    data: bytes | bytearray = b""
    file: FileIO | None = None
    kept: int | None = None


class RenderFiles:
    """ASGI endpoint for GET and HEAD below /v1/renders/."""

    def __init__(self, renders: Renders) -> None:
        self._renders = renders
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._hot = HotFiles()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, send)
        except EnlargerError as error:
            await problem_response(error, HTTPConnection(scope))(scope, receive, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        key = scope["path"].rpartition("/")[2]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodRefusedError(msg("This path is not for {method}.", method=scope["method"]), msg("See /docs."))
        if not _KEY.fullmatch(key):
            raise _unknown()
        mine = header_of(scope, b"if-none-match")
        known = self._known.get(key)
        if mine and known is not None and is_current(mine, known.sha256):
            await _confirm(known, send)
            return
        is_head = scope["method"] == "HEAD"
        hot = None if known is None or is_head else self._hot_answer(key, known, Headers(scope=scope))
        if hot is not None:
            await _send(hot, send)
            return
        with anyio.CancelScope(shield=True):  # a file that nobody gets would stay open
            opened = await _threads.run(partial(self._open, key, known, Headers(scope=scope), is_head=is_head))
        self._hot.keep(key, opened.kept)
        if mine and is_current(mine, opened.known.sha256):
            await _close(opened)
            await _confirm(opened.known, send)
        else:
            await _send(opened, send)

    def _hot_answer(self, key: str, known: _Known, headers: Headers) -> _Opened | None:
        """The answer that is at hand; raises RangeError."""
        part = byte_range(headers, known.size_bytes, known.sha256)
        data = self._hot.read(key, range(known.size_bytes) if part is None else part, known.is_still)
        return None if data is None else _Opened(known, part, data)

    # ---- in a thread ----

    def _open(self, key: str, known: _Known | None, headers: Headers, *, is_head: bool) -> _Opened:
        """The file opened and its first piece read; raises NotFoundError, RangeError."""
        file = _opened(known.path) if known is not None else None
        if file is None or known is None or not known.is_still(os.fstat(file.fileno())):
            if file is not None:
                file.close()
            known, file = self._look_up(key)
        try:
            part = None if is_head else byte_range(headers, known.size_bytes, known.sha256)
            return _first_piece(known, part, file, is_head=is_head)
        except BaseException:
            file.close()
            raise

    def _look_up(self, key: str) -> tuple[_Known, FileIO]:
        path = self._renders(key)
        file = None if path is None else _opened(path)
        if path is None or file is None:
            with self._lock:
                self._known.pop(key, None)
            raise _unknown()
        known = _looked_at(path, file)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return known, file


def _looked_at(path: Path, file: FileIO) -> _Known:
    found = os.fstat(file.fileno())
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    headers = (
        (b"content-type", MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream").encode()),
        (b"etag", f'"{sha256}"'.encode()),
        (b"cache-control", KEPT_FOR_EVER.encode()),
        (b"accept-ranges", b"bytes"),
    )
    return _Known(path, found.st_size, found.st_mtime_ns, sha256, headers)


def _opened(path: Path) -> FileIO | None:
    try:
        return FileIO(path)
    except OSError:
        return None


def _first_piece(known: _Known, part: range | None, file: FileIO, *, is_head: bool) -> _Opened:
    if is_head:
        file.close()
        return _Opened(known, part)
    wanted = range(known.size_bytes) if part is None else part
    file.seek(wanted.start)
    data = file.read(min(len(wanted), _PIECE_BYTES))
    if len(data) >= len(wanted):
        kept = second_descriptor(file.fileno()) if known.size_bytes <= _PIECE_BYTES else None
        file.close()
        return _Opened(known, part, data, kept=kept)
    return _Opened(known, part, data, file)


# ---- on the event loop ----


async def _confirm(known: _Known, send: Send) -> None:
    await send({"type": "http.response.start", "status": 304, "headers": list(known.headers[1:])})
    await send({"type": "http.response.body", "body": b""})


async def _send(opened: _Opened, send: Send) -> None:
    known, part = opened.known, opened.part
    length = known.size_bytes if part is None else len(part)
    headers = [*known.headers, (b"content-length", b"%d" % length)]
    if part is not None:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, known.size_bytes)))
    try:
        await send({"type": "http.response.start", "status": 200 if part is None else 206, "headers": headers})
        left = length - len(opened.data)
        await send({"type": "http.response.body", "body": opened.data, "more_body": opened.file is not None})
        while opened.file is not None:
            data = await _threads.run(partial(opened.file.read, min(left, _PIECE_BYTES)))
            left -= len(data)
            more = left > 0 and bool(data)
            await send({"type": "http.response.body", "body": data, "more_body": more})
            if not more:
                break
    finally:
        await _close(opened)


async def _close(opened: _Opened) -> None:
    if opened.file is not None:
        with anyio.CancelScope(shield=True):
            await _threads.run(opened.file.close)


def _unknown() -> NotFoundError:
    return NotFoundError(
        msg("This render is not kept any more, or never was."), msg("Turn to the page again: it is made anew.")
    )
