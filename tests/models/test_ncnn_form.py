"""A graph that did not come from ncnn has an ncnn form beside it, whole, or the reason why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks import psnr, run_ncnn, run_openvino, textured

from checkpoint_files import small_srvgg, write_checkpoint
from enlarger.models.card import Variant
from enlarger.models.catalog import load_catalog
from enlarger.models.graph import prepare
from enlarger.models.ncnn_form import keep_ncnn_form, load_ncnn_form
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.settings import Settings


@pytest.fixture
def variant(settings: Settings) -> Variant:
    """A network whose weights are a checkpoint."""
    found = load_catalog().choose("realesr-animevideov3", scale=4).variant
    assert found.checkpoint is not None
    write_checkpoint(settings.models_dir / found.checkpoint.file.name, small_srvgg())
    return replace(found, package=replace(found.package, folder="no_such_package/models"))


def test_a_checkpoint_runs_on_ncnn(variant: Variant, settings: Settings) -> None:
    graph = prepare(variant, settings)
    assert graph.ncnn is not None
    assert graph.no_ncnn is None
    plane = textured(24, 36)
    assert psnr(run_ncnn(graph.ncnn.param, graph.ncnn.bin, plane), run_openvino(graph.path.read_bytes(), plane)) > 100


def test_it_is_written_once(variant: Variant, settings: Settings) -> None:
    first = prepare(variant, settings)
    assert first.ncnn is not None
    times = [path.stat().st_mtime_ns for path in (first.ncnn.param, first.ncnn.bin)]
    again = prepare(variant, settings).ncnn
    assert again == first.ncnn
    assert [path.stat().st_mtime_ns for path in (first.ncnn.param, first.ncnn.bin)] == times


def _truncate(path: Path) -> None:
    path.with_suffix(".bin").write_bytes(path.with_suffix(".bin").read_bytes()[:-4])


def _remove(path: Path) -> None:
    path.with_suffix(".param").unlink()


def _keep_from_earlier(path: Path) -> None:
    """As kept before there were written forms."""
    manifest = path.with_suffix(".json")
    facts = json.loads(manifest.read_bytes())
    del facts["ncnn"]
    manifest.write_text(json.dumps(facts))


@pytest.mark.parametrize("damage", [_truncate, _remove, _keep_from_earlier])
def test_a_form_that_is_not_whole_is_written_again(
    variant: Variant, settings: Settings, damage: Callable[[Path], None]
) -> None:
    first = prepare(variant, settings)
    assert first.ncnn is not None
    whole = first.ncnn.bin.read_bytes()
    damage(first.path)
    assert prepare(variant, settings) == first
    assert first.ncnn.bin.read_bytes() == whole


def test_the_reason_why_there_is_none_is_remembered(tmp_path: Path) -> None:
    graph = GraphBuilder()
    onnx = graph.finish(
        graph.add("Einsum", INPUT, graph.constant(np.ones((3, 3), np.float32)), equation="nchw,cd->ndhw")
    )
    facts = json.loads(json.dumps(keep_ncnn_form(onnx, tmp_path / "net.onnx")))
    form = load_ncnn_form(tmp_path / "net.onnx", facts)
    assert form.files is None
    assert form.reason is not None
    assert "Einsum" in form.reason.text("en")
    assert list(tmp_path.iterdir()) == []
