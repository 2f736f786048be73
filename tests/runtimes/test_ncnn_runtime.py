"""What is ncnn's own."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.errors import RuntimeFailedError
from enlarger.runtimes import BF16, FLOAT32, FP32, UINT8, NcnnRuntime, ncnn_network

TILE = (24, 32)


def run(graph: TinyGraph, tile: np.ndarray, *, dtype: str = FP32, pixels: str = UINT8) -> np.ndarray:
    session = NcnnRuntime().open(graph, tile=tile.shape[:2], device="cpu", dtype=dtype, pixels=pixels)
    return next(session.run([tile]))


def test_only_graphs_with_an_ncnn_form(tiny_graph: TinyGraph) -> None:
    without = replace(tiny_graph, ncnn=None)
    assert NcnnRuntime().supports(tiny_graph)
    assert not NcnnRuntime().supports(without)
    with pytest.raises(RuntimeFailedError, match="TINY_UP2X has no ncnn form"):
        run(without, np.zeros((*TILE, 3), np.uint8))


def test_a_missing_file_is_named(tiny_graph: TinyGraph, capfd: pytest.CaptureFixture[str]) -> None:
    tiny_graph.ncnn.bin.unlink()
    with pytest.raises(RuntimeFailedError, match=r"tiny0\.bin"):
        run(tiny_graph, np.zeros((*TILE, 3), np.uint8))
    assert capfd.readouterr().err == ""


def test_bf16_is_really_used(tiny_graph: TinyGraph) -> None:
    tile = np.random.default_rng(0).random((*TILE, 3), np.float32)
    exact, coarse = (run(tiny_graph, tile, dtype=dtype, pixels=FLOAT32) for dtype in (FP32, BF16))
    assert 1e-4 < np.abs(exact - coarse).max() < 4 / 255


def test_nan_stays_nan_in_float32_and_is_black_in_uint8(tiny_graph: TinyGraph) -> None:
    weights = bytearray(tiny_graph.ncnn.bin.read_bytes())
    weights[-48:] = np.full(12, np.nan, np.float32).tobytes()  # every bias
    tiny_graph.ncnn.bin.write_bytes(weights)
    assert np.isnan(run(tiny_graph, np.zeros((*TILE, 3), np.float32), pixels=FLOAT32)).all()
    assert not run(tiny_graph, np.zeros((*TILE, 3), np.uint8)).any()


def test_a_program_without_a_stderr_can_ask_for_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """pythonw has none."""
    monkeypatch.setattr(sys, "stderr", None)
    entered = False
    with ncnn_network._silent_stderr():
        entered = True
    assert entered
