"""A tiny network for every test of the runtimes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_network import TinyGraph, make_tiny_graph


@pytest.fixture
def tiny_graph(tmp_path: Path) -> TinyGraph:
    """One convolution and a pixel shuffle, as ONNX and as ncnn."""
    return make_tiny_graph(tmp_path)
