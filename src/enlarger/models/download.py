"""The one downloader: a file by URL, resumed over restarts, whole and checked or not there at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from enlarger.cancel import CancelToken, check
from enlarger.errors import FetchError
from enlarger.messages import Message, msg
from enlarger.models.card import WeightFile
from enlarger.models.sources import file_sha256, matches
from enlarger.storage import one_at_a_time, remove, rename, require_room, storage_errors, sync_file, sync_folder

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int, int], None]  # (bytes so far, bytes in all)

WAITS_S = (0.5, 1.0, 2.0, 4.0)  # between attempts that bring nothing new; any new byte starts them afresh
_TIMEOUT_S = 30.0
_STATUS_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class _InterruptedError(Exception):
    """An attempt that ended early, with the reason; what came is kept."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """What has come of a file so far: `<name>.part`, and the server's ETag beside it for If-Range."""

    target: Path

    @property
    def path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def etag_path(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part.etag")

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def etag(self) -> str:
        return self.etag_path.read_text("ascii", "ignore") if self.etag_path.exists() else ""

    def restart(self, etag: str) -> None:
        """Empty, for the file that `etag` names; a weak ETag cannot vouch for bytes and is not kept."""
        self.path.write_bytes(b"")
        self.etag_path.write_text("" if etag.startswith("W/") else etag, "ascii", "ignore")

    def discard(self) -> None:
        for path in (self.path, self.etag_path):
            remove(path)

    def publish(self) -> None:
        """The part becomes the file, durably."""
        with self.path.open("rb+") as file:
            sync_file(file)
        rename(self.path, self.target)
        remove(self.etag_path)
        sync_folder(self.target.parent)


def download(
    url: str,
    target: Path,
    expected: WeightFile,
    *,
    proxy: str = "",
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    waits_s: Sequence[float] = WAITS_S,
) -> None:
    """The file at `url` in `target`, exactly the expected one; nothing is asked for when it is there already.

    What an earlier call, or another process, left in `<name>.part` is continued by Range; a server that
    ignores Range is read from the start. Several processes take turns. Raises FetchError, StorageError,
    CancelledError; the part is kept by all but a wrong size or SHA-256.
    """
    with one_at_a_time(target, cancel):
        if not matches(target, expected):
            part = Part(target)
            with storage_errors(target):
                _make_room(part, expected)
                with _client(proxy) as client:
                    transfer = Transfer(client, url, part, expected, progress, cancel)
                    _until_whole(transfer, waits_s)
                _publish_checked(part, expected)
    if progress is not None:
        progress(expected.size_bytes, expected.size_bytes)


def mirrored(url: str, mirror: str) -> str:
    """`url` with scheme and host replaced by the mirror's base URL; its path is kept below the mirror's own."""
    if not mirror:
        return url
    if urlsplit(mirror).scheme not in {"http", "https"} or not urlsplit(mirror).netloc:
        raise FetchError(
            msg("“{mirror}” is not a base URL for a mirror.", mirror=mirror),
            msg("Set ENLARGER_MIRROR to something like https://mirror.example/github"),
        )
    return mirror.rstrip("/") + urlsplit(url)._replace(scheme="", netloc="").geturl()


@dataclass(frozen=True)
class Transfer:
    """One download's state on disk and the attempts that bring it forward."""

    client: httpx.Client
    url: str
    part: Part
    expected: WeightFile
    progress: Progress | None
    cancel: CancelToken | None

    def attempt(self) -> None:
        """Ask for what is missing and append it; raises _InterruptedError or FetchError."""
        import httpx

        try:
            with self.client.stream("GET", self.url, headers=self._headers()) as response:
                self._accept(response)
                self._append(response.iter_raw())
        except (httpx.TransportError, httpx.StreamError) as error:
            raise _InterruptedError(msg("{reason}", reason=str(error) or type(error).__name__)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failure(msg("{url}: {reason}.", url=self.url, reason=error)) from error
        if self.part.size_bytes < self.expected.size_bytes:
            raise _InterruptedError(msg("the server closed the connection early"))

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # Range counts the bytes of the file, not of a compressed stream
        if size_bytes := self.part.size_bytes:
            headers["Range"] = f"bytes={size_bytes}-"
            if etag := self.part.etag:
                headers["If-Range"] = etag
        return headers

    def _accept(self, response: httpx.Response) -> None:
        """Leave the part where the body continues it, or raise."""
        status = response.status_code
        if status == 206 and _range_start(response) == self.part.size_bytes:
            return
        if status in (206, 416):  # not the range that was asked for, or none: the part is of another file
            self.part.discard()
            raise _InterruptedError(msg("the server cannot continue the partial file"))
        if status in _STATUS_TRANSIENT:
            raise _InterruptedError(msg("the server answered {status}", status=status))
        if status != 200:
            raise self._failure(msg("{url}: the server answered {status}.", url=self.url, status=status))
        self._check_size(int(response.headers.get("content-length", self.expected.size_bytes)))
        self.part.restart(response.headers.get("etag", ""))

    def _append(self, chunks: Iterator[bytes]) -> None:
        received = self.part.size_bytes
        with self.part.path.open("ab") as file:
            for chunk in chunks:
                check(self.cancel)
                file.write(chunk)
                received += len(chunk)
                if received > self.expected.size_bytes:
                    break
                if self.progress is not None:
                    self.progress(received, self.expected.size_bytes)
        if received > self.expected.size_bytes:
            self._check_size(received)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes != self.expected.size_bytes:
            self.part.discard()
            raise self._failure(
                msg(
                    "{name}: {url} gives {size} bytes instead of {expected}.",
                    name=self.expected.name,
                    url=self.url,
                    size=size_bytes,
                    expected=self.expected.size_bytes,
                )
            )

    def _failure(self, message: Message) -> FetchError:
        return FetchError(message, _other_ways(self.expected))


def _until_whole(transfer: Transfer, waits_s: Sequence[float]) -> None:
    """Attempts until the part has its size; gives up after `waits_s` without a new byte."""
    most, waits = transfer.part.size_bytes, iter(waits_s)
    while transfer.part.size_bytes < transfer.expected.size_bytes:
        try:
            transfer.attempt()
        except _InterruptedError as error:
            if transfer.part.size_bytes > most:
                most, waits = transfer.part.size_bytes, iter(waits_s)
            _pause(next(waits, None), transfer, error)


def _pause(wait_s: float | None, transfer: Transfer, error: _InterruptedError) -> None:
    if wait_s is None:
        raise FetchError(
            msg("{name}: the download broke off: {reason}.", name=transfer.expected.name, reason=error.reason),
            msg("Run the same command again: it continues where this one stopped."),
        ) from error
    until = time.monotonic() + wait_s
    while (left_s := until - time.monotonic()) > 0:
        check(transfer.cancel)
        time.sleep(min(0.1, left_s))


def _make_room(part: Part, expected: WeightFile) -> None:
    if part.size_bytes > expected.size_bytes:
        part.discard()  # of another version of the file
    require_room(part.target.parent, expected.size_bytes - part.size_bytes)


def _publish_checked(part: Part, expected: WeightFile) -> None:
    digest = file_sha256(part.path)
    if digest != expected.sha256:
        part.discard()
        raise FetchError(
            msg(
                "{name}: the SHA-256 is {digest} instead of {expected}; the download was thrown away.",
                name=expected.name,
                digest=digest,
                expected=expected.sha256,
            ),
            _other_ways(expected),
        )
    part.publish()


def _other_ways(expected: WeightFile) -> Message:
    return msg(
        "Try again, set another mirror with ENLARGER_MIRROR, or hand {name} in with "
        "`enlarger models pull … --from FILE`.",
        name=expected.name,
    )


def _range_start(response: httpx.Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return int(found[1]) if found else None


@contextmanager
def _client(proxy: str) -> Iterator[httpx.Client]:
    import httpx

    try:
        client = httpx.Client(proxy=proxy or None, timeout=_TIMEOUT_S, follow_redirects=True)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise FetchError(
            msg("The proxy cannot be used: {reason}.", reason=error),
            msg("Check ENLARGER_PROXY and the proxy variables of the system."),
        ) from error
    with client:
        yield client
