"""Models: cards that describe them, weights by package, URL or file, and the one graph they are turned into."""

from enlarger.models.adding import add_model
from enlarger.models.card import (
    CONSERVATIVE,
    NOISE_NAMES,
    Card,
    Checkpoint,
    HandedFile,
    Package,
    Variant,
    WeightFile,
    noise_name,
    parse_noise,
)
from enlarger.models.catalog import SEED_IDS, Catalog, Choice, load_catalog
from enlarger.models.download import Progress
from enlarger.models.fetch import Source, adopt, fetch
from enlarger.models.graph import Graph, made, prepare
from enlarger.models.ncnn_form import NcnnFiles
from enlarger.models.onnx_shapes import leave_out_weights, with_shapes
from enlarger.models.proof_graph import proof_graph
from enlarger.models.removing import remove_model
from enlarger.models.sources import Weights, found_at, locate

__all__ = [
    "CONSERVATIVE",
    "NOISE_NAMES",
    "SEED_IDS",
    "Card",
    "Catalog",
    "Checkpoint",
    "Choice",
    "Graph",
    "HandedFile",
    "NcnnFiles",
    "Package",
    "Progress",
    "Source",
    "Variant",
    "WeightFile",
    "Weights",
    "add_model",
    "adopt",
    "fetch",
    "found_at",
    "leave_out_weights",
    "load_catalog",
    "locate",
    "made",
    "noise_name",
    "parse_noise",
    "prepare",
    "proof_graph",
    "remove_model",
    "with_shapes",
]
