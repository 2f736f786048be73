"""Reading: how fast a finished page is given, beside plain Starlette, and how long it takes from a turn to sharp."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from bench.alternate import PeerError
from bench.load import Load, load
from bench.served import Service, free_port
from bench.sizes import Sizes
from bench.subjects import Studio
from enlarger.enhance import RenderCache

PAGE_BYTES = 300_000
_MODEL = "waifu2x-cunet"
_KEY = "5a" * 32
_TURNS = 5
_VOLUME = 200  # pages, so that it outlasts the runs beside it
_APART = 10  # pages between two cold turns: further than what is made ready ahead
_READY_S = 600.0


@dataclass(frozen=True)
class Served:
    """The same bytes from Enlarger and from plain Starlette, in alternating rounds. status: 200 or 304."""

    status: int
    beside_job: bool
    ours: tuple[Load, ...]
    plain: tuple[Load, ...]

    @property
    def ratio(self) -> float:
        """Answers a second, ours over plain, the median of the rounds."""
        return median(ours.per_s / plain.per_s for ours, plain in zip(self.ours, self.plain, strict=True))

    @property
    def p50_ms(self) -> float:
        """The median time of an answer of ours, the median of the rounds."""
        return median(each.p50_ms for each in self.ours)


@dataclass(frozen=True)
class ReadingFindings:
    """size: of a page that is turned to; cold_s: from the turn until it was had sharp; ahead_s: of the next one."""

    served: tuple[Served, ...]
    size: tuple[int, int]
    cold_s: tuple[float, ...]
    ahead_s: tuple[float, ...]


def measure(studio: Studio, sizes: Sizes, scratch: Path, say: Callable[[str], None]) -> ReadingFindings:
    """One server with a worker whose model is resident; nothing else runs but what is said."""
    service = Service(scratch / "reading" / "data", scratch / "reading", {"ENLARGER_PRELOAD": _MODEL})
    drawn = studio.pages(sizes.pages, sizes.page)
    pages = [studio.crop(page, number, sizes.small_page).data for number in range(4) for page in drawn]
    _laid_out(pages, service.storage / "incoming" / "book", _APART * _TURNS)
    _laid_out(pages, service.storage / "incoming" / "volume", _VOLUME)
    file = _put(service.cache_dir, scratch / "plain")
    service.start().ready()
    try:
        cold_s, ahead_s = _turns(service, say)
        served = _served_or_not(service, file, sizes, say)
    finally:
        service.stop()
    return ReadingFindings(served, sizes.small_page, cold_s, ahead_s)


# ---- a cached page ----


def _put(cache_dir: Path, folder: Path) -> Path:
    """A render of noise in the cache, and the same file for plain Starlette."""
    data = os.urandom(PAGE_BYTES)
    RenderCache(cache_dir / "renders", 1 << 30).put(_KEY, data, "webp", {})
    folder.mkdir(parents=True)
    file = folder / "page.webp"
    file.write_bytes(data)
    return file


def _served_or_not(service: Service, file: Path, sizes: Sizes, say: Callable[[str], None]) -> tuple[Served, ...]:
    try:
        return tuple(_served(service, file, sizes, say))
    except PeerError as error:
        say(f"  reading: {error}")
        return ()


def _served(service: Service, file: Path, sizes: Sizes, say: Callable[[str], None]) -> Iterator[Served]:
    with _plain(file.parent) as plain:
        for beside_job in (False, True):
            job = service.submit(path="volume", model=_MODEL, scale=2, format="webp") if beside_job else ""
            for found in _rounds(service, plain, file.name, sizes, beside_job=beside_job):
                where = "beside a job" if beside_job else "alone"
                say(f"  {found.status}, {where}: {found.ratio:.2f} of plain, p50 {found.p50_ms:.1f} ms")
                yield found
            if job:
                _ended(service, job, sizes)


def _ended(service: Service, job: str, sizes: Sizes) -> None:
    """Raises PeerError when it did so by itself, but for tiny pages, with which nothing is measured."""
    if service.job(job)["state"] == "running":
        service.post(f"/v1/jobs/{job}/cancel")
    elif sizes.extras:
        raise PeerError("the job beside which pages were given ended too soon")


def _rounds(service: Service, plain: str, name: str, sizes: Sizes, *, beside_job: bool) -> Iterator[Served]:
    ours, file, static = f"{service.url}/v1/renders/{_KEY}", f"{plain}/file/{name}", f"{plain}/static/{name}"
    for status, other in ((200, file), (304, static)):
        runs = [
            (
                load(ours, sizes.load_s, _known(ours, status)),
                load(other, sizes.load_s, _known(other, status)),
            )
            for _ in range(sizes.rounds or 3)
        ]
        yield Served(status, beside_job, tuple(run[0] for run in runs), tuple(run[1] for run in runs))


def _known(url: str, status: int) -> Mapping[str, str]:
    """What a client sends that has the file, where 304 is wanted."""
    answer = httpx.get(url)
    answer.raise_for_status()
    asked = {"If-None-Match": answer.headers["etag"]} if status == 304 else {}
    if (found := httpx.get(url, headers=asked).status_code) != status:
        raise PeerError(f"{url} answered {found}, not {status}")
    return asked


@contextmanager
def _plain(folder: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "bench.plain_files", str(folder), str(port)])
    try:
        _wait(lambda: _answers(f"{url}/static/page.webp"), 60)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url).status_code == 200
    return False


# ---- turning ----


def _turns(service: Service, say: Callable[[str], None]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Cold: far from anything made; ahead: the next page, once what is made ready is ready."""
    book = _reader(service)
    _turned(service, book, 1)  # calibrated, compiled, resident
    cold, ahead = [], []
    for number in range(1, _TURNS):
        page = number * _APART
        cold.append(_turned(service, book, page))
        _wait(partial(_sharp, service, book, page + 1), _READY_S)
        ahead.append(_turned(service, book, page + 1))
    say(f"  from turn to sharp: cold {median(cold):.2f} s, ahead {median(ahead):.3f} s")
    return tuple(cold), tuple(ahead)


def _reader(service: Service) -> str:
    with httpx.Client(base_url=service.url) as http:
        http.patch("/v1/reader", json={"enabled": True, "model": _MODEL, "scale": 2}).raise_for_status()
        items = http.get("/v1/shelf/items").raise_for_status().json()["items"]
        book: str = next(item["id"] for item in items if item["title"] == "book")
        http.post(f"/v1/reader/books/{book}/open").raise_for_status()
        return book


def _turned(service: Service, book: str, page: int) -> float:
    """Seconds until the page turned to has been got sharp, by a client that looks a hundred times a second."""
    began = time.perf_counter()
    url = f"{service.url}/v1/reader/books/{book}/position"
    states = httpx.put(url, json={"page": page}).raise_for_status().json()["pages"]
    found = _url_of(states, page)
    if found is None:
        _wait(partial(_sharp, service, book, page), _READY_S)
        found = _sharp(service, book, page)
    httpx.get(f"{service.url}{found}").raise_for_status()
    return time.perf_counter() - began


def _sharp(service: Service, book: str, page: int) -> str | None:
    states = service.post(f"/v1/reader/books/{book}/open")["pages"]
    return _url_of(states, page)


def _url_of(states: Sequence[Mapping[str, Any]], page: int) -> str | None:
    state = next((state for state in states if state["page"] == page), None)
    if state is not None and state["status"] in ("failed", "skipped", "cancelled", "original"):
        raise PeerError(f"page {page} is {state['status']}: {state.get('error') or state.get('reason')}")
    return None if state is None else state["url"]


def _laid_out(pages: Sequence[bytes], folder: Path, count: int) -> None:
    """So many files, no two alike in bytes, or the cache would have most of them: a number stands behind each JPEG."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(pages[number % len(pages)] + f"{folder.name}{number}".encode())


def _wait(is_so: Callable[[], object], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("reading took too long")
        time.sleep(0.01)
