"""What every session promises, whichever runtime it is of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_network import BORDER, SCALE, TinyGraph, make_tiny_graph, reference
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture
from vulkan_here import vulkan_runtime

from enlarger.errors import CancelledError, RuntimeFailedError
from enlarger.runtimes import (
    FLOAT32,
    FP32,
    UINT8,
    FakeRuntime,
    NcnnRuntime,
    OpenVinoRuntime,
    Runtime,
    Session,
)

RUNTIMES: dict[str, Callable[[], Runtime]] = {
    "openvino": OpenVinoRuntime,
    "ncnn": NcnnRuntime,
    "vulkan": vulkan_runtime,
    "fake": FakeRuntime,
}
DEVICES = {"vulkan": "vulkan:0"}
HALF = {"vulkan": "fp16"}  # the arithmetic of fewer bits; bf16 elsewhere
TILE = (37, 52)  # odd, and not square: nothing may depend on alignment


@dataclass(frozen=True)
class Case:
    """A runtime, an arithmetic, a kind of pixels, and how many tiles are asked for in one call."""

    runtime: Runtime
    dtype: str
    pixels: str
    batch: int = 1
    device: str = "cpu"

    def open(self, graph: TinyGraph, tile: tuple[int, int] = TILE) -> Session:
        return self.runtime.open(
            graph, tile=tile, device=self.device, dtype=self.dtype, pixels=self.pixels, batch=self.batch
        )

    def tile(self, seed: int = 0, tile: tuple[int, int] = TILE) -> NDArray[np.uint8] | NDArray[np.float32]:
        values = np.random.default_rng(seed).integers(0, 256, (*tile, 3), dtype=np.uint8)
        return values if self.pixels == UINT8 else (values / 255).astype(np.float32)


def _cases() -> Iterator[object]:
    for name in RUNTIMES:
        for dtype in ("fp32", HALF.get(name, "bf16")):
            for pixels in (UINT8, FLOAT32):
                for batch in (1, 3):
                    yield _case(name, dtype, pixels, batch)


def _case(name: str, dtype: str, pixels: str, batch: int) -> object:
    """A GPU's programs are compiled for each session, and for seconds where the CPU plays the GPU."""
    slow = name == "vulkan" and (dtype, pixels, batch) != (FP32, UINT8, 1)
    marks = [pytest.mark.slow] if slow else []
    return pytest.param((name, dtype, pixels, batch), id=f"{name}-{dtype}-{pixels}-{batch}", marks=marks)


@pytest.fixture(params=_cases())
def case(request: pytest.FixtureRequest) -> Case:
    name, dtype, pixels, batch = request.param
    runtime, device = RUNTIMES[name](), DEVICES.get(name, "cpu")
    if dtype not in next(each.dtypes for each in runtime.devices() if each.id == device):
        pytest.skip(f"this machine has no {dtype} for {name}")
    return Case(runtime, dtype, pixels, batch, device)


def test_spec_describes_the_session(case: Case, tiny_graph: TinyGraph) -> None:
    spec = case.open(tiny_graph).spec
    assert (spec.runtime, spec.device) == (case.runtime.name, case.device)
    assert (spec.dtype, spec.pixels) == (case.dtype, case.pixels)
    assert (spec.tile, spec.scale, spec.border) == (TILE, SCALE, BORDER)
    assert spec.batch == (1 if spec.runtime == "ncnn" else case.batch)  # ncnn takes tiles one by one, and says so
    assert spec.in_flight >= spec.batch
    assert spec.result == ((37 - 2) * 2, (52 - 2) * 2, 3)


def test_results_are_the_networks_clipped_and_in_order(case: Case, tiny_graph: TinyGraph) -> None:
    if isinstance(case.runtime, FakeRuntime):
        pytest.skip("the fake computes no network")
    tiles = [case.tile(seed) for seed in range(5)]
    results = list(case.open(tiny_graph).run(tiles))
    tolerance = {"fp32": 0.51 / 255 if case.pixels == UINT8 else 5e-5, "bf16": 4 / 255, "fp16": 4 / 255}[case.dtype]
    for tile, result in zip(tiles, results, strict=True):
        expected = reference(tiny_graph, tile)
        assert expected.min() == 0
        assert expected.max() == 1  # the network overshoots, so clipping is seen
        values = result / (255 if case.pixels == UINT8 else 1)
        assert result.dtype == np.dtype(case.pixels)
        assert result.shape == expected.shape
        np.testing.assert_allclose(values, expected, atol=tolerance)


def test_what_is_expected_is_what_onnx_runtime_computes(tiny_graph: TinyGraph) -> None:
    import onnxruntime

    tile = Case(FakeRuntime(), FP32, FLOAT32).tile()
    session = onnxruntime.InferenceSession(tiny_graph.path, providers=["CPUExecutionProvider"])
    (computed,) = session.run(None, {"x": tile.transpose(2, 0, 1)[None]})
    np.testing.assert_allclose(np.clip(computed[0].transpose(1, 2, 0), 0, 1), reference(tiny_graph, tile), atol=1e-5)


def test_fake_repeats_pixels_inside_the_border(tiny_graph: TinyGraph) -> None:
    case = Case(FakeRuntime(), FP32, UINT8)
    tile = case.tile()
    (result,) = case.open(tiny_graph).run([tile])
    assert (result[::2, ::2] == tile[1:-1, 1:-1]).all()
    assert (result[1::2, 1::2] == tile[1:-1, 1:-1]).all()


def test_order_is_kept(case: Case, tiny_graph: TinyGraph) -> None:
    session = case.open(tiny_graph)
    tiles = [case.tile(seed) for seed in range(7)]
    alone = [next(session.run([tile])) for tile in tiles]
    for expected, result in zip(alone, session.run(iter(tiles)), strict=True):
        assert (result == expected).all()


@pytest.mark.parametrize("count", [1, 3, 5])
def test_as_many_results_as_tiles_bit_for_bit_whatever_the_batch(case: Case, tiny_graph: TinyGraph, count: int) -> None:
    tiles = [case.tile(seed) for seed in range(count)]
    expected = [result.tobytes() for result in replace(case, batch=1).open(tiny_graph).run(tiles)]
    assert [result.tobytes() for result in case.open(tiny_graph).run(tiles)] == expected


def test_no_tiles_give_no_results(case: Case, tiny_graph: TinyGraph) -> None:
    assert list(case.open(tiny_graph).run([])) == []


def test_tiles_are_pulled_as_they_are_needed(case: Case, tiny_graph: TinyGraph) -> None:
    pulled = count()
    session = case.open(tiny_graph)
    results = session.run(case.tile(next(pulled)) for _ in range(10))
    assert next(pulled) == 0  # nothing before the first result is asked for
    next(results)
    assert next(pulled) - 1 <= session.spec.in_flight


def test_a_result_belongs_to_the_caller(case: Case, tiny_graph: TinyGraph) -> None:
    session = case.open(tiny_graph)
    results = session.run([case.tile(1), case.tile(2), case.tile(3)])
    first = next(results)
    kept = first.copy()
    list(results)
    session.close()
    assert (first == kept).all()
    first[...] = 0  # and is writable
    assert first.flags.c_contiguous


def test_the_tile_is_not_changed(case: Case, tiny_graph: TinyGraph) -> None:
    tile = case.tile()
    list(case.open(tiny_graph).run([tile]))
    assert (tile == case.tile()).all()


@pytest.mark.parametrize("kind", ["read-only", "strided", "reversed"])
def test_any_memory_layout_is_taken(case: Case, tiny_graph: TinyGraph, kind: str) -> None:
    tile = {
        "read-only": case.tile(),
        "strided": np.repeat(case.tile(), 2, axis=1)[:, ::2],
        "reversed": case.tile()[::-1].copy()[::-1],
    }[kind]
    tile.setflags(write=kind != "read-only")
    session = case.open(tiny_graph)
    (result,), (expected,) = session.run([tile]), session.run([case.tile()])
    assert (result == expected).all()


def test_same_bytes_twice(case: Case, tiny_graph: TinyGraph) -> None:
    first, second = (next(case.open(tiny_graph).run([case.tile()])) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_cancel_is_read_between_tiles(case: Case, tiny_graph: TinyGraph) -> None:
    cancel, given = threading.Event(), []

    def tiles() -> Iterator[NDArray[np.uint8] | NDArray[np.float32]]:
        for seed in count():
            given.append(seed)
            yield case.tile(seed)

    session = case.open(tiny_graph)
    results = session.run(tiles(), cancel=cancel)
    next(results)
    cancel.set()
    with pytest.raises(CancelledError):
        list(islice(results, session.spec.in_flight + 1))
    assert len(given) <= session.spec.in_flight
    assert len(list(session.run([case.tile()]))) == 1  # the session goes on


def test_an_abandoned_run_leaves_the_session_usable(case: Case, tiny_graph: TinyGraph) -> None:
    session = case.open(tiny_graph)
    expected = next(session.run([case.tile()]))
    for _ in range(5):
        next(session.run(case.tile(seed) for seed in count()))
    assert (next(session.run([case.tile()])) == expected).all()


def test_an_error_of_the_tiles_passes_through(case: Case, tiny_graph: TinyGraph) -> None:
    def tiles() -> Iterator[NDArray[np.uint8] | NDArray[np.float32]]:
        yield case.tile()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(case.open(tiny_graph).run(tiles()))


@pytest.mark.parametrize("wrong", ["shape", "dtype", "channels"])
def test_a_wrong_tile_is_refused(case: Case, tiny_graph: TinyGraph, wrong: str) -> None:
    tile = {
        "shape": case.tile(tile=(TILE[0], TILE[1] + 1)),
        "dtype": case.tile().astype(np.float64),
        "channels": case.tile()[..., :1],
    }[wrong]
    with pytest.raises(RuntimeFailedError, match="37 x 52"):
        list(case.open(tiny_graph).run([tile]))


def test_closed_sessions_do_not_run(case: Case, tiny_graph: TinyGraph) -> None:
    session = case.open(tiny_graph)
    session.close()
    session.close()
    with pytest.raises(RuntimeFailedError, match="closed"):
        session.run([case.tile()])


def test_two_sessions_run_at_once(case: Case, tmp_path: Path) -> None:
    graphs = [make_tiny_graph(tmp_path, seed=seed) for seed in (1, 2)]
    tiles = [case.tile(seed) for seed in range(6)]
    expected = [[result.tobytes() for result in case.open(graph).run(tiles)] for graph in graphs]
    found: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        session = case.open(graphs[number])
        found[number] = [result.tobytes() for result in session.run(tiles)]
        session.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[0], found[1]] == expected


def test_all_devices_offer_fp32_first(case: Case) -> None:
    assert all(device.dtypes[0] == FP32 and device.name for device in case.runtime.devices())


def test_resting_changes_nothing_of_runs_begun_or_to_come(case: Case, tiny_graph: TinyGraph) -> None:
    session = case.open(tiny_graph)
    tiles = [case.tile(seed) for seed in range(4)]
    expected = [np.array(result) for result in session.run(tiles)]
    run = session.run(tiles)
    results = [next(run)]
    session.rest()
    results += run
    session.rest()
    for again in (results, list(session.run(tiles))):
        assert all(np.array_equal(result, wanted) for result, wanted in zip(again, expected, strict=True))
