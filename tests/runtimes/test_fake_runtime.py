"""The misfortunes of the fake."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_network import TinyGraph, TinyVariant

from enlarger.errors import OutOfMemoryError, RuntimeFailedError
from enlarger.runtimes import BF16, FLOAT32, FP32, UINT8, FakeRuntime, Misfortune, Part, Session

TILE = (8, 10)


def a_session(runtime: FakeRuntime, *, dtype: str = FP32, pixels: str = UINT8) -> Session:
    graph = TinyGraph(None, "", TinyVariant(), None)
    return runtime.open(graph, tile=TILE, device="cpu", dtype=dtype, pixels=pixels)


def a_tile(pixels: str = UINT8) -> np.ndarray:
    return np.ones((*TILE, 3), np.dtype(pixels))


def test_it_counts() -> None:
    runtime = FakeRuntime()
    session = a_session(runtime)
    list(session.run([a_tile()] * 3))
    session.close()
    session.close()
    assert (runtime.tiles_run, runtime.sessions_opened, runtime.sessions_closed) == (3, 1, 1)


def test_it_can_be_slow() -> None:
    slept: list[float] = []
    list(a_session(FakeRuntime(Misfortune(delay_s=7), sleep=slept.append)).run([a_tile()] * 2))
    assert slept == [7, 7]


def test_it_can_fail_once() -> None:
    runtime = FakeRuntime(Misfortune(fail_at_tile=2))
    session = a_session(runtime)
    with pytest.raises(RuntimeFailedError, match="tile 2"):
        list(session.run([a_tile()] * 3))
    assert len(list(session.run([a_tile()] * 3))) == 3


@pytest.mark.parametrize(("limit_px", "enough"), [(80, True), (79, False)])
def test_it_can_run_out_of_memory(limit_px: int, enough: bool) -> None:
    session = a_session(FakeRuntime(Misfortune(out_of_memory_above_px=limit_px)))
    if enough:
        assert len(list(session.run([a_tile()]))) == 1
    else:
        with pytest.raises(OutOfMemoryError):
            list(session.run([a_tile()]))


@pytest.mark.parametrize(
    ("output", "pixels", "expected"),
    [
        ("black", UINT8, 0),
        ("constant", UINT8, 128),
        ("nan", UINT8, 0),
        ("black", FLOAT32, 0),
        ("constant", FLOAT32, 0.5),
        ("nan", FLOAT32, np.nan),
    ],
)
def test_it_can_give_bad_output(output: str, pixels: str, expected: float) -> None:
    (result,) = a_session(FakeRuntime(Misfortune(output=output)), pixels=pixels).run([a_tile(pixels)])
    np.testing.assert_array_equal(result, expected)


def test_bad_output_may_be_of_one_dtype_only() -> None:
    runtime = FakeRuntime(Misfortune(output="black", output_dtypes=(BF16,)))
    (sound,), (bad,) = (a_session(runtime, dtype=dtype).run([a_tile()]) for dtype in (FP32, BF16))
    assert sound.any()
    assert not bad.any()


@given(cut=st.integers(4, 16))
def test_tiled_equals_whole(cut: int) -> None:
    """Whatever the tile: nearest neighbour looks at nothing but the pixel itself."""
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    graph = TinyGraph(None, "", TinyVariant(), None)

    def run(part: np.ndarray) -> np.ndarray:
        return next(FakeRuntime().open(graph, tile=part.shape[:2], device="cpu", dtype=FP32, pixels=UINT8).run([part]))

    halves = [run(picture[: cut + 1]), run(picture[cut - 1 :])]
    assert (np.concatenate(halves) == run(picture)).all()


def halves(poolings: int) -> tuple[Session, list[np.ndarray], np.ndarray]:
    """A session for half a picture, the halves (one dark, one bright), and the whole's result."""
    rng = np.random.default_rng(0)
    parts = [rng.integers(low, low + 120, (*TILE, 3), dtype=np.uint8) for low in (0, 130)]
    graph = TinyGraph(None, "", TinyVariant(border=0), None)
    half, whole = (
        FakeRuntime(poolings=poolings).open(graph, tile=tile, device="cpu", dtype=FP32, pixels=UINT8)
        for tile in (TILE, (2 * TILE[0], TILE[1]))
    )
    return half, parts, next(whole.run([np.concatenate(parts)]))


@pytest.mark.parametrize("poolings", [1, 4])
def test_tiles_equal_the_whole_only_if_they_share_averages(poolings: int) -> None:
    session, parts, whole = halves(poolings)
    averages: list[np.ndarray] = []
    for stage in range(session.spec.poolings):
        averages.append(np.mean(list(session.pool(parts, stage=stage, known=averages)), axis=0, dtype=np.float32))
    shared, alone = (np.concatenate(list(session.run(parts, averages=given))) for given in (averages, None))
    assert np.abs(shared.astype(int) - whole).max() <= 1
    assert np.abs(alone.astype(int) - whole).max() >= 8


def test_poolings_are_counted_apart_from_tiles() -> None:
    runtime = FakeRuntime(poolings=2)
    session = a_session(runtime)
    (average,) = session.pool([a_tile()], stage=0, known=[])
    assert (average.shape, average.dtype) == ((3,), np.float32)
    list(session.pool([a_tile()] * 2, stage=1, known=[average]))
    assert (runtime.tiles_run, runtime.tiles_pooled) == (0, 3)


def test_overlapping_parts_are_counted_once() -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (TILE[0], 14, 3), dtype=np.uint8)
    session = a_session(FakeRuntime(poolings=1))
    reaching = np.pad(whole[:, 6:], ((0, 0), (0, 2), (0, 0)), mode="edge")
    parts = [[Part((8, 6), TILE, whole.shape[:2])], [Part(TILE, (8, 8), whole.shape[:2])]]
    shares = list(session.pool([whole[:, :10], reaching], stage=0, known=[], parts=parts))
    np.testing.assert_allclose(sum(shares), whole.mean((0, 1)) / 255, rtol=1e-6)
    with pytest.raises(ValueError, match="zip"):
        list(session.pool([reaching], stage=0, known=[], parts=parts))
