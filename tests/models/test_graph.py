"""A graph is made once from whatever weights there are, kept whole or not at all, and is the same everywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkpoint_files import small_srvgg, write_checkpoint
from enlarger.errors import CancelledError, WeightsMissingError, WeightsRefusedError
from enlarger.models import graph as graph_module
from enlarger.models.card import Variant
from enlarger.models.catalog import load_catalog
from enlarger.models.graph import Graph, prepare
from enlarger.models.sources import locate
from enlarger.settings import Settings
from loud_skips import missing


@pytest.fixture
def variant() -> Variant:
    """A network that has a checkpoint of its own; here its weights come from no package."""
    found = load_catalog().choose("realesr-animevideov3", scale=4).variant
    return replace(found, package=replace(found.package, folder="no_such_package/models"))


@pytest.fixture
def checkpoint(variant: Variant, settings: Settings) -> Path:
    assert variant.checkpoint is not None
    return write_checkpoint(settings.models_dir / variant.checkpoint.file.name, small_srvgg())


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the variants that were imported, not merely loaded."""
    made: list[str] = []
    original: Callable[..., tuple[bytes, str | None]] = graph_module.import_weights

    def counting(paths: object, variant: Variant) -> tuple[bytes, str | None]:
        made.append(variant.name)
        return original(paths, variant)

    monkeypatch.setattr(graph_module, "import_weights", counting)
    return made


@pytest.mark.usefixtures("checkpoint")
def test_a_graph_is_made_once_and_kept(variant: Variant, settings: Settings, imports: list[str]) -> None:
    first, second = prepare(variant, settings), prepare(variant, settings)
    assert first == second
    assert imports == [variant.name]
    assert first.path.parent == settings.graphs_dir
    assert first.digest == hashlib.sha256(first.path.read_bytes()).hexdigest()
    weights = locate(variant, settings)
    assert weights is not None
    assert first.weights == weights.digest
    assert first.variant == variant
    assert first.ncnn is not None


def test_other_weights_give_another_graph(variant: Variant, settings: Settings, checkpoint: Path) -> None:
    first = prepare(variant, settings)
    write_checkpoint(checkpoint, small_srvgg(seed=2))
    second = prepare(variant, settings)
    assert first.path != second.path
    assert first.digest != second.digest


@pytest.mark.usefixtures("checkpoint")
def test_a_newer_importer_makes_graphs_again(
    variant: Variant, settings: Settings, imports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(variant, settings)
    monkeypatch.setattr(graph_module, "IMPORTER_VERSION", graph_module.IMPORTER_VERSION + 1)
    assert prepare(variant, settings).path != first.path
    assert len(imports) == 2


def _truncate(graph: Graph) -> None:
    graph.path.write_bytes(graph.path.read_bytes()[:-1])


def _remove(graph: Graph) -> None:
    graph.path.unlink()


def _forget(graph: Graph) -> None:
    graph.path.with_suffix(".json").unlink()


def _garble(graph: Graph) -> None:
    graph.path.with_suffix(".json").write_text("[]")


@pytest.mark.usefixtures("checkpoint")
@pytest.mark.parametrize("damage", [_truncate, _remove, _forget, _garble])
def test_a_graph_that_is_not_whole_is_made_again(
    variant: Variant, settings: Settings, damage: Callable[[Graph], None]
) -> None:
    first = prepare(variant, settings)
    damage(first)
    assert prepare(variant, settings) == first
    assert hashlib.sha256(first.path.read_bytes()).hexdigest() == first.digest


@pytest.mark.usefixtures("checkpoint")
def test_callers_at_once_make_it_once(variant: Variant, settings: Settings, imports: list[str]) -> None:
    made: list[Graph] = []
    threads = [threading.Thread(target=lambda: made.append(prepare(variant, settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(map(repr, made))) == 1
    assert imports == [variant.name]


@pytest.mark.usefixtures("checkpoint")
def test_processes_at_once_agree_on_the_bytes(variant: Variant, settings: Settings) -> None:
    """Different hash seeds and folders: nothing of a process gets into a graph."""
    program = (
        "import sys; from pathlib import Path; from enlarger.settings import Settings;"
        "from enlarger.models.catalog import load_catalog; from enlarger.models.graph import prepare;"
        "v = load_catalog().choose('realesr-animevideov3', scale=4).variant;"
        "print(prepare(v, Settings(data_dir=Path(sys.argv[1]), offline=True)).digest)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(settings.data_dir)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    digests = {process.communicate()[0].strip() for process in started}
    assert digests == {prepare(variant, settings).digest}


PINNED = "e949a0516610f288c6b87714f23be7745eaa97bffa870c63ca4bf8beaf0abf37"


@pytest.mark.usefixtures("checkpoint")
def test_the_bytes_are_those_of_this_importer_version(variant: Variant, settings: Settings) -> None:
    """Whoever changes what importers write counts IMPORTER_VERSION up and pins the new digest here."""
    assert (graph_module.IMPORTER_VERSION, prepare(variant, settings).digest) == (2, PINNED)


def test_missing_weights_are_told_with_the_command_that_brings_them(variant: Variant, settings: Settings) -> None:
    with pytest.raises(WeightsMissingError) as caught:
        prepare(variant, settings)
    assert variant.name in caught.value.message.text("en")
    assert caught.value.remedy is not None
    assert f"enlarger models pull {variant.name}" in caught.value.remedy.text("en")


def test_nothing_is_fetched_unless_asked(variant: Variant, tmp_path: Path) -> None:
    online = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", offline=False)
    with pytest.raises(WeightsMissingError):
        prepare(variant, online, fetch_missing=False)


def test_missing_weights_are_fetched_on_first_use(
    variant: Variant, tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = Settings(data_dir=tmp_path / "other", cache_dir=tmp_path / "cache", offline=False)

    def bring(target: Variant, settings: Settings, **_how: object) -> tuple[object, ...]:
        settings.models_dir.mkdir(parents=True)
        (settings.models_dir / checkpoint.name).write_bytes(checkpoint.read_bytes())
        return (locate(target, settings),)

    monkeypatch.setattr(graph_module, "fetch", bring)
    assert prepare(variant, online).path.is_file()


def test_a_checkpoint_of_another_scale_is_refused(variant: Variant, settings: Settings, checkpoint: Path) -> None:
    write_checkpoint(checkpoint, small_srvgg(scale=2))
    with pytest.raises(WeightsRefusedError, match="2x"):
        prepare(variant, settings)
    assert not list(settings.graphs_dir.glob("*.onnx"))


@pytest.mark.usefixtures("checkpoint")
def test_a_set_token_stops_before_the_import(variant: Variant, settings: Settings) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        prepare(variant, settings, cancel=cancel)
    assert not list(settings.graphs_dir.glob("*.onnx"))


@pytest.mark.weights
def test_package_weights_keep_their_ncnn_form(settings: Settings) -> None:
    found = load_catalog().find("MODEL_WAIFU2X_PHOTO_UP2X")
    assert not hasattr(found, "variants")
    variant = found.variant
    if locate(variant, settings) is None:
        missing(f"the package {variant.package}")
    graph = prepare(variant, settings)
    assert graph.ncnn is not None
    assert graph.ncnn.param.read_text().startswith("7767517\n")
    assert graph.ncnn.bin.stat().st_size == variant.files[1].size_bytes
    graph.ncnn.param.unlink()
    assert prepare(variant, settings) == graph
    assert graph.ncnn.param.is_file()
