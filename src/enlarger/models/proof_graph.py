"""A small network without weights of anybody's: what shows that a device computes, and computes right."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from enlarger.models.card import Variant
from enlarger.models.catalog import load_catalog
from enlarger.models.graph import Graph
from enlarger.models.ncnn_form import keep_ncnn_form, load_ncnn_form
from enlarger.models.onnx_builder import INPUT, GraphBuilder

_FEATURES, _LAYERS, _SCALE = 32, 4, 2
_SLOPE = 0.2


def proof_graph(folder: Path) -> Graph:
    """Convolutions, an activation and a pixel shuffle added to the enlarged picture, 2x; kept in `folder`."""
    onnx = _network()
    path = folder / "proof.onnx"
    path.write_bytes(onnx)
    form = load_ncnn_form(path, keep_ncnn_form(onnx, path))
    return Graph(path, hashlib.sha256(onnx).hexdigest(), _variant(), form.files, no_ncnn=form.reason)


def _network() -> bytes:
    rng = np.random.default_rng(0)
    graph, x, read = GraphBuilder(), INPUT, 3
    for layer in range(_LAYERS):
        made = _FEATURES if layer < _LAYERS - 1 else 3 * _SCALE**2
        spread = (9 * read) ** -0.5 if layer < _LAYERS - 1 else 0.1 * (9 * read) ** -0.5
        weight = rng.normal(0, spread, (made, read, 3, 3)).astype(np.float32)
        x = graph.conv(x, weight, np.zeros(made, np.float32), pads=(1, 1, 1, 1))
        x = graph.add("LeakyRelu", x, alpha=_SLOPE) if layer < _LAYERS - 1 else x
        read = made
    return graph.finish(graph.add("Add", graph.pixel_shuffle(x, _SCALE), graph.nearest(INPUT, _SCALE)))


def _variant() -> Variant:
    """One of the catalogue's with the same face: 2x, and the size kept."""
    return load_catalog().choose("realesr-animevideov3", scale=_SCALE).variant
