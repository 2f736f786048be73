"""Workers whose network is the fake runtime: the real process, lane and pipe, without weights."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from enlarger.enhance import Enhancer, Recipe, make_recipe
from enlarger.jobs import JobSource, Priority
from enlarger.jobs.crew import Crew
from enlarger.jobs.protocol import FromCrew, Ready, Start, TileDone
from enlarger.jobs.worker import WorkerSetup
from enlarger.models import Graph, Variant, load_catalog
from enlarger.pictures import encode
from enlarger.runtimes import Device, FakeRuntime, Misfortune
from enlarger.settings import Settings
from pages import noise, picture

PATIENCE_S = 60.0
TARGETS = {".jpg": "out.jpg", ".png": "out.png", ".webp": "out.webp"}


def recipe(**changes: Any) -> Recipe:
    """2x by the default model in the smallest tiles (40 useful pixels a side for cunet)."""
    return replace(make_recipe(load_catalog()), **{"tile_px": 32, **changes})


def make_graph(folder: Path) -> Path:
    """The smallest ONNX file: the fake runtime reads none, but memory is planned from it."""
    from onnx import TensorProto, helper, save

    path = folder / "identity.onnx"
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xy")
    save(helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])), path)
    return path


def fake_enhancer(settings: Settings, runtime: FakeRuntime, graph: Path) -> Enhancer:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(graph, f"digest of {variant.name}", variant, None)

    return Enhancer(settings, device="auto", runtimes={"fake": runtime}, prepare_graph=prepare)


def make_enhancer(
    settings: Settings,
    *,
    graph: str,
    misfortune: dict[str, Any] | None = None,
    dies: str = "",
    gate: str = "",
    devices: tuple[str, ...] = (),
) -> Enhancer:
    """What a worker calls. dies: "at start" or "at tile". gate: a file that all tiles but the first wait for.

    devices: what its machine has besides the CPU.
    """
    if dies == "at start":
        os._exit(77)
    more = tuple(Device("fake", each, each, ("fp32",), "gpu") for each in devices)
    runtime = FakeRuntime(misfortune=Misfortune(**(misfortune or {"delay_s": 1e-6})), more_devices=more)
    runtime.sleep = _deadly if dies == "at tile" else _waiting_for(Path(gate)) if gate else time.sleep
    return fake_enhancer(settings, runtime, Path(graph))


def _deadly(_seconds: float) -> None:
    os._exit(78)


def _waiting_for(gate: Path) -> Callable[[float], None]:
    tiles = count(1)

    def wait(_seconds: float) -> None:
        first = next(tiles) == 1
        while not first and not gate.exists():
            time.sleep(0.005)

    return wait


def setup(settings: Settings, graph: Path, **options: Any) -> WorkerSetup:
    return WorkerSetup(settings, "fake_workers:make_enhancer", {"graph": str(graph), **options})


def page_file(folder: Path, name: str = "a.png", seed: int = 0, width: int = 30, height: int = 30) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(encode(picture(noise(seed, width, height)), format="png").data)
    return path


def start(task: int, path: Path, out_dir: Path, priority: int = Priority.VOLUME, **changes: Any) -> Start:
    """Render one picture file; its output's name is its own stem's."""
    targets = {suffix: path.stem + suffix for suffix in TARGETS}
    source = JobSource("picture", path)
    return replace(Start(task, source, path.name, recipe(), out_dir, targets, priority=priority), **changes)


class Hearing:
    """A crew, and all that was heard of it in order."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.heard: list[tuple[str, FromCrew]] = []

    def until(self, enough: Callable[[list[tuple[str, FromCrew]]], object]) -> None:
        """Poll until `enough` holds of what was heard; gives up loudly."""
        end = time.monotonic() + PATIENCE_S
        while not enough(self.heard):
            assert time.monotonic() < end, f"only heard: {self.heard}"
            self.heard += self.crew.poll(0.2)

    def until_heard(self, kind: type, times: int = 1) -> list[Any]:
        self.until(lambda _heard: len(self.said(kind)) >= times)
        return self.said(kind)

    def said(self, kind: type) -> list[Any]:
        return [message for _, message in self.heard if isinstance(message, kind)]

    def workers(self) -> list[str]:
        """Those that are ready, in the order they said so."""
        return [worker for worker, message in self.heard if isinstance(message, Ready)]


@contextmanager
def running(setup: WorkerSetup, workers: int = 1, devices: tuple[str, ...] = ("auto",)) -> Iterator[Hearing]:
    """A crew of ready workers, none of which is left at the end."""
    crew = Crew(setup)
    crew.start(workers, devices)
    hearing = Hearing(crew)
    try:
        hearing.until_heard(Ready, max(workers, len(devices)))
        yield hearing
    finally:
        crew.stop(0.0)


def hold_a_page(graph: str, folder: str) -> None:
    """A parent with a worker in mid-tile: says the worker's process id, and hears no more of anything."""
    home = Path(folder)
    settings = Settings(data_dir=home / "data", cache_dir=home / "cache", offline=True)
    with running(setup(settings, Path(graph), gate=str(home / "never"))) as crew:
        crew.crew.send(crew.workers()[0], start(1, page_file(home / "in", width=200), home / "out"))
        crew.until_heard(TileDone)
        print(crew.crew.states()[0].pid, flush=True)
        time.sleep(PATIENCE_S)


def leave_a_mark(settings: Settings) -> None:
    """What a worker's setup may name to be called first."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "mark").touch()
