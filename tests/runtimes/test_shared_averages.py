"""Real networks with global average poolings: tiles that share the picture's averages equal the picture in one tile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.errors import CancelledError, RuntimeFailedError, WeightsMissingError
from enlarger.models import Graph, load_catalog, prepare
from enlarger.runtimes import FLOAT32, FP32, NcnnRuntime, OpenVinoRuntime, Part, Parts, Runtime, Session
from enlarger.runtimes.calibration_picture import page_tile
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.settings import Settings
from loud_skips import missing

pytestmark = [pytest.mark.weights, pytest.mark.slow]

Plane = NDArray[np.float32]
NETWORKS = ("MODEL_REALCUGAN_SE_UP2X", "MODEL_REALCUGAN_SE_UP3X", "MODEL_WAIFU2X_CUNET_UP2X")
TILE = 64  # of two, whose cores lie side by side


@pytest.fixture(scope="module", params=NETWORKS)
def graph(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("graphs")
    settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache", offline=True)
    try:
        return prepare(load_catalog().choose(request.param).variant, settings)
    except WeightsMissingError:
        missing(f"the weights of {request.param}")


@pytest.fixture(params=[OpenVinoRuntime, NcnnRuntime])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    made: Runtime = request.param()
    return made


def opened(runtime: Runtime, graph: Graph, width: int = TILE, *, batch: int = 1) -> Session:
    return runtime.open(graph, tile=(TILE, width), device="cpu", dtype=FP32, pixels=FLOAT32, batch=batch)


def picture(graph: Graph) -> Plane:
    """As wide as two overlapping tiles; bright on one side and dark on the other, so that averages matter."""
    values = page_tile((TILE, 2 * TILE - 2 * graph.variant.halo)) / np.float32(255)
    return np.ascontiguousarray(values * np.linspace(0.2, 1, values.shape[1], dtype=np.float32)[:, None])


def halves(graph: Graph, *, beyond: int = 0) -> tuple[list[Plane], list[Parts]]:
    """The picture's two tiles, which may reach beyond the picture, where its edge is repeated."""
    whole = picture(graph)[:, : -beyond or None]
    extended = np.pad(whole, ((0, 0), (0, beyond), (0, 0)), mode="edge")
    core = TILE - 2 * graph.variant.halo
    parts: list[Parts] = [
        [Part((TILE, core), (TILE, TILE), whole.shape[:2])],
        [Part((TILE, TILE), (TILE, TILE - beyond), whole.shape[:2])],
    ]
    return [extended[:, :TILE], extended[:, core:]], parts


def averages_of(session: Session, tiles: list[Plane], parts: list[Parts] | None = None) -> list[Plane]:
    known: list[Plane] = []
    for stage in range(session.spec.poolings):
        known.append(np.sum(list(session.pool(tiles, stage=stage, known=known, parts=parts)), axis=0))
    return known


def psnr(result: Plane, reference: Plane) -> float:
    return float(-10 * np.log10(np.mean((result.astype(np.float64) - reference) ** 2) + 1e-15))


def side_by_side(results: list[Plane]) -> Plane:
    return np.concatenate(results, axis=1)


def test_a_tiles_own_averages_change_nothing(runtime: Runtime, graph: Graph) -> None:
    session, (tile, _) = opened(runtime, graph), halves(graph)[0]
    assert session.spec.poolings == 4
    own = averages_of(session, [tile])
    assert all(average.dtype == np.float32 and average.ndim == 1 for average in own)
    (alone,), (given,) = session.run([tile]), session.run([tile], averages=own)
    assert psnr(given, alone) >= 80


@pytest.mark.parametrize("beyond", [0, 12])
def test_tiles_that_share_equal_the_whole(runtime: Runtime, graph: Graph, beyond: int) -> None:
    tiles, parts = halves(graph, beyond=beyond)
    session = opened(runtime, graph)
    shared = side_by_side(list(session.run(tiles, averages=averages_of(session, tiles, parts))))
    page = picture(graph)[:, : -beyond or None]
    (whole,) = opened(runtime, graph, page.shape[1]).run([page])
    assert psnr(shared[:, : whole.shape[1]], whole) >= 80
    assert psnr(side_by_side(list(session.run(tiles)))[:, : whole.shape[1]], whole) < 65  # and it does matter


def test_a_batch_shares_averages_bit_for_bit(runtime: Runtime, graph: Graph) -> None:
    tiles, parts = halves(graph, beyond=12)
    tiles, parts = [*tiles, tiles[0]], [*parts, parts[0]]  # three: the second call is filled up
    alone, paired = opened(runtime, graph), opened(runtime, graph, batch=2)
    known = averages_of(alone, tiles, parts)
    assert all(np.array_equal(a, b) for a, b in zip(averages_of(paired, tiles, parts), known, strict=True))
    results = zip(alone.run(tiles, averages=known), paired.run(tiles, averages=known), strict=True)
    assert all(np.array_equal(a, b) for a, b in results)


def test_the_runtimes_agree(graph: Graph) -> None:
    tiles, parts = halves(graph)
    sessions = opened(OpenVinoRuntime(), graph), opened(NcnnRuntime(), graph)
    exact, other = (
        side_by_side(list(session.run(tiles, averages=averages_of(session, tiles, parts)))) for session in sessions
    )
    assert psnr(other, exact) >= 60


def test_cancel_is_read_between_tiles(runtime: Runtime, graph: Graph) -> None:
    cancel, given = threading.Event(), []
    tile = halves(graph)[0][0]

    def tiles() -> Iterator[Plane]:
        for number in count():
            given.append(number)
            yield tile

    session = opened(runtime, graph)
    pooled = session.pool(tiles(), stage=0, known=[], cancel=cancel)
    next(pooled)
    cancel.set()
    with pytest.raises(CancelledError):
        list(pooled)
    assert len(given) <= session.spec.in_flight


def test_averages_that_do_not_fit_are_refused(runtime: Runtime, graph: Graph) -> None:
    session, (tile, _) = opened(runtime, graph), halves(graph)[0]
    one = next(session.pool([tile], stage=0, known=[]))
    for stage, known in ((1, []), (0, [one]), (4, [one] * 4), (-1, [])):
        with pytest.raises(RuntimeFailedError, match="poolings"):
            session.pool([tile], stage=stage, known=known)
    with pytest.raises(RuntimeFailedError, match="1 averages were given for 4"):
        session.run([tile], averages=[one])
    for wrong in (one[:-1], np.append(one, one)):
        with pytest.raises(RuntimeFailedError):
            list(session.pool([tile], stage=1, known=[wrong]))
        with pytest.raises(RuntimeFailedError):
            list(session.run([tile], averages=[wrong] * 4))
    session.close()
    with pytest.raises(RuntimeFailedError, match="closed"):
        session.pool([tile], stage=0, known=[])


def test_the_parts_are_kept_on_disk(graph: Graph, tmp_path: Path) -> None:
    tiles, parts = halves(graph)
    first, second = (opened(OpenVinoRuntime(compiled=CompiledGraphs(tmp_path)), graph) for _ in range(2))
    made = averages_of(first, tiles, parts)
    list(first.run(tiles, averages=made))
    kept = {path: path.stat().st_ino for path in tmp_path.iterdir()}
    assert len(kept) == 6  # the whole, up to each pooling, and with all averages given
    again = averages_of(second, tiles, parts)
    assert [average.tobytes() for average in again] == [average.tobytes() for average in made]
    assert second.spec.poolings == 4
    assert {path: path.stat().st_ino for path in tmp_path.iterdir()} == kept
