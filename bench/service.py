"""The server beside the command: what a job costs more, memory at rest, and how soon a reader is served."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import psutil

from bench.memory import spent_by
from bench.resident import command, folders_of
from bench.served import Service
from bench.sizes import Sizes
from bench.subjects import Studio, Subject

_MODEL = "waifu2x-cunet"
_JOB: dict[str, str | int] = {"model": _MODEL, "scale": 2, "format": "webp"}
_INTERRUPTIONS = 5


@dataclass(frozen=True)
class ServiceFindings:
    """Seconds, and bytes.

    job_s, command_s: the same pages as one job and through one command, cold caches, models known to both.
    rest_bytes: the server and one idle worker with the model resident. alone_s: a small picture over HTTP with nothing
    else running; beside_s: the same during a volume, for each try. tile_s: one tile of that volume.
    """

    pages: int
    size: tuple[int, int]
    job_s: float
    command_s: float
    rest_bytes: int
    alone_s: float
    beside_s: tuple[float, ...]
    tile_s: float

    @property
    def waited_s(self) -> float:
        """What the volume cost the small picture, in the median."""
        return median(self.beside_s) - self.alone_s


def measure(studio: Studio, sizes: Sizes, scratch: Path, say: Callable[[str], None]) -> ServiceFindings:
    """One server, one command; nothing else runs."""
    large = studio.pages(sizes.pages, sizes.page)
    small = [studio.crop(large[n % len(large)], n // len(large), sizes.small_page) for n in range(sizes.job_pages)]
    service = Service(scratch / "service" / "data", scratch / "service", {"ENLARGER_PRELOAD": _MODEL})
    incoming = service.storage / "incoming"
    _laid_out(small, incoming / "pages")
    _laid_out([*large] * 4, incoming / "volume")
    service.start().ready()
    try:
        _warm(service, small[0])
        rest_bytes = _rest_bytes(service)
        say(f"  server and one idle worker with cunet: {rest_bytes / 1e9:.2f} GB")
        job_s, command_s = _job_s(service), _command_s(incoming / "pages", scratch)
        say(f"  {len(small)} pages: as a job {job_s:.1f} s, through the command {command_s:.1f} s")
        alone_s, beside_s, tile_s = _interruptions(service, studio.crop(large[0], 0, sizes.interactive), say)
    finally:
        service.stop()
    return ServiceFindings(len(small), sizes.small_page, job_s, command_s, rest_bytes, alone_s, tuple(beside_s), tile_s)


def _laid_out(subjects: Sequence[Subject], folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, subject in enumerate(subjects):
        shutil.copy(subject.path, folder / f"{number:03}.jpg")


def _warm(service: Service, subject: Subject) -> None:
    """Calibrated, compiled, resident: what the command also finds when it is measured."""
    _upscale(service, subject.data, quality=50)


def _upscale(service: Service, data: bytes, **options: int) -> float:
    began = time.perf_counter()
    answer = httpx.post(
        f"{service.url}/v1/upscale",
        params={**_JOB, **options},
        files={"image": ("page.jpg", data, "image/jpeg")},
        timeout=600,
    )
    answer.raise_for_status()
    return time.perf_counter() - began


def _rest_bytes(service: Service) -> int:
    assert service.process is not None
    everything = [psutil.Process(service.process.pid), *service.workers()]
    return sum(process.memory_info().rss for process in everything)


def _job_s(service: Service) -> float:
    began = time.perf_counter()
    service.finished(service.submit(path="pages", **_JOB), 3600)
    return time.perf_counter() - began


def _command_s(pages: Path, scratch: Path) -> float:
    """The second of two commands, so that it finds the model calibrated and compiled, as the server did."""
    folders = folders_of(scratch / "command")
    first = next(pages.iterdir())
    spent_by(command(first, scratch / "warm.webp", "--quality", "50"), folders)
    return spent_by(command(pages, scratch / "pages.cbz", "--format", "webp"), folders).seconds


def _interruptions(service: Service, subject: Subject, say: Callable[[str], None]) -> tuple[float, list[float], float]:
    alone_s = _upscale(service, subject.data, quality=60)
    alone_s = min(alone_s, _upscale(service, subject.data, quality=61))
    volume = service.submit(path="volume", **_JOB)
    while not service.get(f"/v1/jobs/{volume}")["counts"]["done"]:
        time.sleep(0.1)
    beside_s = [_upscale(service, subject.data, quality=70 + n) for n in range(_INTERRUPTIONS)]
    page = service.get(f"/v1/jobs/{volume}/pages")["items"][0]
    first_pass = page["facts"]["passes"][0]
    tile_s = first_pass["seconds"] / first_pass["tiles"]
    service.post(f"/v1/jobs/{volume}/cancel")
    say(f"  small picture alone {alone_s:.2f} s, during a volume {median(beside_s):.2f} s; a tile {tile_s:.2f} s")
    return alone_s, beside_s, tile_s
