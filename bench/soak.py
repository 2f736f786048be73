"""`make soak`: many watchers over a long job: is the server quick, does it lose an event, does its memory grow?"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, quantiles

import httpx
import psutil
import websockets

from bench.served import Service
from demo.pages import draw_page

_POLLERS, _SOCKETS, _JOBS = 64, 32, 2
_PAGE = (120, 160)
_JOB = {"model": "waifu2x-upconv7-anime", "scale": 2, "format": "webp", "device": "openvino", "precision": "exact"}
_MOST_P99_S = 0.05
_MOST_SLOPE_BYTES = 20_000  # a page: 10 MB over 500, about what SQLite's and Python's caches take
_WARM_SHARE = 0.3  # of the pages: until then caches fill
_FINAL = ("done", "partial", "failed", "cancelled")


@dataclass
class Observed:
    """What the watchers saw."""

    healthz_s: list[float] = field(default_factory=list)
    polls: int = 0
    memory: list[tuple[int, int, int]] = field(default_factory=list)  # pages done, server's bytes, workers' bytes
    sockets: list[list[int]] = field(default_factory=list)  # each socket's event numbers
    expected: list[int] = field(default_factory=list)  # the newest event of each socket's job

    @property
    def p99_s(self) -> float:
        """Seconds that /healthz took, of a hundred the slowest but one."""
        return quantiles(self.healthz_s, n=100)[98]

    @property
    def lost(self) -> int:
        """Sockets whose numbers are not 1, 2, 3 … to the newest event."""
        pairs = zip(self.sockets, self.expected, strict=True)
        return sum(numbers != list(range(1, last + 1)) for numbers, last in pairs)

    def slope_bytes(self, column: int) -> float:
        """Bytes a page that memory grows by once it is warm; column 1: the server, 2: its workers."""
        warm = [row for row in self.memory if row[0] >= _WARM_SHARE * self.memory[-1][0]]
        return linear_regression([row[0] for row in warm], [row[column] for row in warm]).slope


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, say what was seen; 1 when the server was slow, lost an event or grew."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pages", type=int, default=500, help="pages of all jobs together")
    pages = options.parse_args(arguments).pages
    with tempfile.TemporaryDirectory(prefix="enlarger-soak-") as folder:
        service = Service(Path(folder) / "data", Path(folder))
        _draw(service.storage / "incoming", pages // _JOBS)
        service.start().ready()
        try:
            with _probing(service) as seconds:
                observed = asyncio.run(_soak(service))
            observed.healthz_s = seconds
        finally:
            service.stop()
    return _tell(observed, pages)


@contextmanager
def _probing(service: Service) -> Iterator[list[float]]:
    """What /healthz took meanwhile, known at the end."""
    command = [sys.executable, "-m", "bench.healthz", str(service.port)]
    probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seconds: list[float] = []
    try:
        yield seconds
    finally:
        told, _ = probe.communicate(timeout=70)
        seconds += json.loads(told)


def _draw(incoming: Path, pages: int) -> None:
    for job in range(_JOBS):
        folder = incoming / f"volume{job}"
        folder.mkdir(parents=True)
        for number in range(pages):
            draw_page(job * pages + number, *_PAGE).save(folder / f"{number:04}.png")


async def _soak(service: Service) -> Observed:
    observed = Observed()
    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        jobs = [await _submitted(client, number) for number in range(_JOBS)]
        watchers = [
            *(asyncio.create_task(_poll(client, jobs[n % _JOBS], n / _POLLERS, observed)) for n in range(_POLLERS)),
            asyncio.create_task(_weigh(client, service, jobs, observed)),
        ]
        sockets = [asyncio.create_task(_listen(service, jobs[n % _JOBS])) for n in range(_SOCKETS)]
        observed.sockets = list(await asyncio.gather(*sockets))
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        newest = [(await client.get(f"/v1/jobs/{job}")).json()["lastEvent"] for job in jobs]
        observed.expected = [newest[n % _JOBS] for n in range(_SOCKETS)]
    return observed


async def _submitted(client: httpx.AsyncClient, number: int) -> str:
    answer = await client.post("/v1/jobs", json={"path": f"volume{number}", **_JOB})
    answer.raise_for_status()
    identity: str = answer.json()["id"]
    return identity


async def _poll(client: httpx.AsyncClient, job: str, offset_s: float, observed: Observed) -> None:
    await asyncio.sleep(offset_s)
    while True:
        (await client.get(f"/v1/jobs/{job}")).raise_for_status()
        observed.polls += 1
        await asyncio.sleep(1)


async def _listen(service: Service, job: str) -> list[int]:
    numbers = []
    url = service.url.replace("http", "ws", 1) + f"/v1/jobs/{job}/events"
    async with websockets.connect(url) as socket:
        with suppress(websockets.ConnectionClosed):
            async for text in socket:
                event = json.loads(text)
                if event["number"] is None:  # progress within a page: not stored, not numbered
                    continue
                numbers.append(event["number"])
                if event["type"] in _FINAL:
                    break
    return numbers


async def _weigh(client: httpx.AsyncClient, service: Service, jobs: Sequence[str], observed: Observed) -> None:
    assert service.process is not None
    server = psutil.Process(service.process.pid)
    while True:
        done = sum([(await client.get(f"/v1/jobs/{job}")).json()["counts"]["done"] for job in jobs])
        workers = sum(worker.memory_info().rss for worker in service.workers())
        observed.memory.append((done, server.memory_info().rss, workers))
        await asyncio.sleep(1)


def _tell(observed: Observed, pages: int) -> int:
    slopes = [observed.slope_bytes(column) for column in (1, 2)]
    print(f"pages: {pages}, polls: {observed.polls}, sockets: {_SOCKETS}, healthz: {len(observed.healthz_s)}")
    print(f"/healthz p50 {quantiles(observed.healthz_s, n=100)[49] * 1e3:.1f} ms, p99 {observed.p99_s * 1e3:.1f} ms")
    print(f"sockets that lost or reordered an event: {observed.lost}")
    for name, column, slope in (("server", 1, slopes[0]), ("workers", 2, slopes[1])):
        first, last = observed.memory[0][column], observed.memory[-1][column]
        print(f"memory, {name}: {first / 1e6:.0f} MB to {last / 1e6:.0f} MB, {slope / 1e3:+.1f} kB a page once warm")
    failed = observed.p99_s > _MOST_P99_S or observed.lost or max(slopes) > _MOST_SLOPE_BYTES
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
