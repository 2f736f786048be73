"""Make a variant's one graph from whatever weights there are, once, and keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enlarger.cancel import CancelToken, check
from enlarger.errors import WeightsMissingError
from enlarger.messages import Message, msg
from enlarger.models.card import Variant
from enlarger.models.download import Progress
from enlarger.models.fetch import fetch, how_to_bring
from enlarger.models.importing import import_weights
from enlarger.models.ncnn_form import NcnnFiles as NcnnFiles  # part of Graph, and asked for here
from enlarger.models.ncnn_form import NcnnForm, keep_ncnn_form, load_ncnn_form
from enlarger.models.sources import Weights, locate
from enlarger.settings import Settings
from enlarger.storage import one_at_a_time, remove, write_atomic

IMPORTER_VERSION = 2  # counted up when an importer's graphs change: graphs made before are made again


@dataclass(frozen=True)
class Graph:
    """One network, ready for any runtime.

    path: ONNX; input "x" and output "y", float32 (1, 3, height, width) RGB 0..1, any height and width that
    are multiples of `variant.multiple`; the output is not clipped, and lacks `variant.border` a side.
    digest: SHA-256 hex of those bytes, equal on every machine for equal weights.
    ncnn: the weights' own form where they came for ncnn, else one written from the graph; None where it has an
    operator that ncnn lacks: `no_ncnn` names it.
    weights: SHA-256 hex over the files the graph was made from.
    """

    path: Path
    digest: str
    variant: Variant
    ncnn: NcnnFiles | None
    weights: str = ""
    no_ncnn: Message | None = field(default=None, compare=False)


def prepare(
    variant: Variant,
    settings: Settings,
    *,
    fetch_missing: bool = True,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> Graph:
    """The variant's graph: kept from an earlier call, or made now from weights that are here or fetched.

    Several processes may ask at once; one makes it. Raises WeightsMissingError, WeightsRefusedError,
    FetchError, StorageError, CancelledError.
    """
    weights = locate(variant, settings)
    if weights is None and fetch_missing and not settings.offline:
        weights = next(iter(fetch(variant, settings, progress=progress, cancel=cancel)), None)
    if weights is None:
        raise _missing(variant, settings)
    kept = _Kept.of(variant, weights, settings)
    graph = kept.load(variant, weights)
    return graph or _make(kept, variant, weights, cancel)


def made(variant: Variant, settings: Settings) -> Graph | None:
    """The variant's graph where `prepare` made it already, of the weights that are here; nothing is fetched or made.

    Raises WeightsRefusedError.
    """
    weights = locate(variant, settings)
    return None if weights is None else _Kept.of(variant, weights, settings).load(variant, weights)


def forget(variant: Variant, settings: Settings) -> None:
    """Delete the graph that was made from the weights there are; raises WeightsRefusedError when these are damaged."""
    weights = locate(variant, settings)
    if weights is not None:
        kept = _Kept.of(variant, weights, settings)
        for path in (kept.manifest, kept.onnx, kept.param, kept.onnx.with_suffix(".bin")):
            with suppress(OSError):  # in use, where that forbids deleting: it is found again should the weights return
                remove(path)


@dataclass(frozen=True)
class _Kept:
    """The files of one graph; the manifest is written last, so that it means complete."""

    onnx: Path
    param: Path
    manifest: Path

    @classmethod
    def of(cls, variant: Variant, weights: Weights, settings: Settings) -> _Kept:
        made_of = (IMPORTER_VERSION, weights.digest, variant.scale, variant.border, variant.residual, variant.enlarged)
        stem = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
        return cls(*(settings.graphs_dir / f"{stem}.{suffix}" for suffix in ("onnx", "param", "json")))

    def load(self, variant: Variant, weights: Weights) -> Graph | None:
        """The graph, or None when it is not there, or not whole."""
        try:
            facts = json.loads(self.manifest.read_bytes())
            whole = self.onnx.stat().st_size == facts["size_bytes"]
            digest, form = str(facts["digest"]), self._form(weights, facts)
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return Graph(self.onnx, digest, variant, form.files, weights.digest, form.reason) if whole else None

    def save(self, onnx: bytes, param: str | None, variant: Variant) -> None:
        facts: dict[str, Any] = {"digest": hashlib.sha256(onnx).hexdigest(), "size_bytes": len(onnx)}
        write_atomic(self.onnx, onnx)
        if param is not None:
            write_atomic(self.param, param.encode())
        else:
            facts["ncnn"] = keep_ncnn_form(onnx, self.onnx)
        facts["variant"] = variant.name
        write_atomic(self.manifest, json.dumps(facts).encode())

    def _form(self, weights: Weights, facts: Mapping[str, Any]) -> NcnnForm:
        """Raises OSError, LookupError, TypeError or ValueError where it is not whole."""
        if weights.kind != "ncnn":
            return load_ncnn_form(self.onnx, facts["ncnn"])
        self.param.stat()
        return NcnnForm(NcnnFiles(self.param, weights.paths[1]))


def _make(kept: _Kept, variant: Variant, weights: Weights, cancel: CancelToken | None) -> Graph:
    with one_at_a_time(kept.onnx, cancel):
        if graph := kept.load(variant, weights):
            return graph
        check(cancel)
        kept.save(*import_weights(weights.paths, variant), variant)
        graph = kept.load(variant, weights)
    assert graph is not None, "what was just saved can be loaded"
    return graph


def _missing(variant: Variant, settings: Settings) -> WeightsMissingError:
    if not variant.fetchable:
        return WeightsMissingError(
            msg("The weights of {model} are not on this machine.", model=variant.name), how_to_bring(variant)
        )
    why = msg("and fetching them on first use is switched off") if settings.offline else msg("and were not fetched")
    return WeightsMissingError(
        msg("The weights of {model} are not on this machine, {why}.", model=variant.name, why=why),
        msg("Run: enlarger models pull {model}", model=variant.name),
    )
