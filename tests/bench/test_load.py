"""What the load generator prints is read, and plain Starlette gives what it is measured with."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from bench.alternate import PeerError
from bench.load import Load, parsed
from bench.plain_files import plain
from bench.reading import Served

_PRINTED = """\
Running 5s test @ http://127.0.0.1:8001/v1/renders/5a
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.41ms    1.20ms  30.11ms   91.00%
    Req/Sec     1.69k     0.93k    3.84k    72.50%
  Latency Distribution
     50%    {p50}
     75%    2.90ms
     99%   16.43ms
  8400 requests in 5.01s, 2.40GB read
Requests/sec:   1677.31
Transfer/sec:    490.21MB
"""


@pytest.mark.parametrize(("printed", "p50_ms"), [("2.25ms", 2.25), ("980.00us", 0.98), ("1.50s", 1500.0)])
def test_rate_and_median_are_read(printed: str, p50_ms: float) -> None:
    assert parsed(_PRINTED.format(p50=printed)) == Load(1677.31, pytest.approx(p50_ms))


def test_anything_else_is_told() -> None:
    with pytest.raises(PeerError):
        parsed("unable to connect")


def test_a_ratio_is_taken_within_each_round() -> None:
    served = Served(200, False, (Load(100, 1), Load(300, 3), Load(50, 2)), (Load(100, 9), Load(100, 9), Load(100, 9)))
    assert (served.ratio, served.p50_ms) == (1.0, 2)


async def _asked(folder: Path, path: str, headers: dict[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(plain(folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://plain") as http:
        return await http.get(path, headers=headers)


def test_the_plain_server_answers_200_and_304(tmp_path: Path) -> None:
    import asyncio

    (tmp_path / "page.webp").write_bytes(b"pixels")
    whole = asyncio.run(_asked(tmp_path, "/file/page.webp", {}))
    assert (whole.status_code, whole.content) == (200, b"pixels")
    static = asyncio.run(_asked(tmp_path, "/static/page.webp", {}))
    known = asyncio.run(_asked(tmp_path, "/static/page.webp", {"If-None-Match": static.headers["etag"]}))
    assert (static.status_code, known.status_code) == (200, 304)
