"""A body that trickles in is given up as one that stopped; the server's own slowness does not count."""

from __future__ import annotations

import anyio
import pytest

from enlarger.server.pace import Arrival


async def _pieces(arrival: Arrival, count: int, size: int, pause_s: float, own_s: float = 0.0) -> None:
    for _ in range(count):
        with arrival.waiting():
            await anyio.sleep(pause_s)
        arrival.came(size)
        await anyio.sleep(own_s)


def test_a_trickle_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        anyio.run(_pieces, Arrival(0.2, min_bytes_per_s=100), 100, 1, 0.05)


def test_a_pause_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        anyio.run(_pieces, Arrival(0.05, min_bytes_per_s=1), 1, 1, 10.0)


def test_what_comes_fast_enough_may_take_long() -> None:
    anyio.run(_pieces, Arrival(0.5, min_bytes_per_s=100), 30, 1000, 0.02)


def test_the_servers_own_time_does_not_count() -> None:
    anyio.run(_pieces, Arrival(0.5, min_bytes_per_s=1_000_000), 3, 1, 0.0, 0.3)
