"""Models: cards that describe them, weights by package, URL or file, and the one graph they are turned into."""

from enlarger.models.card import (
    CONSERVATIVE,
    NOISE_NAMES,
    Card,
    Checkpoint,
    Package,
    Variant,
    WeightFile,
    noise_name,
    parse_noise,
)
from enlarger.models.catalog import SEED_IDS, Catalog, Choice, Planned, load_catalog
from enlarger.models.download import Progress
from enlarger.models.fetch import Source, adopt, fetch
from enlarger.models.graph import Graph, NcnnFiles, prepare
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
    "NcnnFiles",
    "Package",
    "Planned",
    "Progress",
    "Source",
    "Variant",
    "WeightFile",
    "Weights",
    "adopt",
    "fetch",
    "found_at",
    "load_catalog",
    "locate",
    "noise_name",
    "parse_noise",
    "prepare",
]
