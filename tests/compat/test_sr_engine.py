"""The engine behind sr_vulkan's calls over tasks that are only noted: devices, lives, and who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from compat_workers import png

from enlarger.compat import sr_vulkan as sr
from enlarger.compat.sr_engine import SrEngine, Wish
from enlarger.enhance import Recipe
from enlarger.models import load_catalog
from enlarger.runtimes import Device
from enlarger.settings import Settings

MODEL = sr.MODEL_WAIFU2X_ANIME_UP2X


class NotedTasks:
    """Takes tasks and notes for which device; its workers' settings too."""

    catalog = load_catalog()

    def __init__(self, settings: Settings, ended: Callable[[int], None] = lambda _number: None) -> None:
        self.settings, self.ended = settings, ended
        self.devices: list[str] = []

    def add(self, data: bytes, recipe: Recipe, device: str) -> int:
        self.devices.append(device)
        return len(self.devices)

    def close(self) -> None:
        pass


class _LivesNoted:
    """An engine, and the tasks of each of its lives."""

    def __init__(self, tasks: type[NotedTasks]) -> None:
        self.lives: list[Any] = []
        self.engine = SrEngine(self._open, lambda _settings: ())
        self._tasks = tasks

    def begin(self) -> Any:
        self.engine.stop()
        self.engine.init()
        assert self.engine.init_set(-1, 1) == 0
        return self.lives[-1]

    def _open(self, settings: Settings, ended: Callable[[int], None]) -> Any:
        self.lives.append(self._tasks(settings, ended))
        self.lives[-1].engine = self.engine
        return self.lives[-1]


@pytest.mark.parametrize(
    ("gpu", "device", "threads"),
    [(0, "openvino:gpu.0", 0), (1, "ncnn:vulkan:0", 0), (2, "auto", 0), (-1, "cpu", 3)],
)
def test_pictures_go_where_init_set_sent_them(
    monkeypatch: pytest.MonkeyPatch, gpu: int, device: str, threads: int
) -> None:
    devices = [
        Device("openvino", "cpu", "a processor", ("fp32",), "cpu"),
        Device("openvino", "gpu.0", "one GPU", ("fp32",), "gpu"),
        Device("ncnn", "vulkan:0", "another GPU", ("fp32",), "gpu"),
        Device("ncnn", "vulkan:1", "llvmpipe", ("fp32",), "gpu", software=True),
    ]
    opened: list[NotedTasks] = []

    def open_tasks(settings: Settings, _ended: Any) -> Any:
        opened.append(NotedTasks(settings))
        return opened[0]

    monkeypatch.setattr(sr, "_engine", SrEngine(open_tasks, lambda _settings: devices))
    assert sr.init() == 0
    assert sr.getGpuInfo() == ["one GPU", "another GPU"]
    assert [sr.getGpuCoreNum(number) for number in (0, 1, 2)] == [1, 1, 0]
    assert sr.setThreadNum(1, 4, 1) == 0
    assert sr.initSet(gpu, 3) == 0
    assert sr.add(png(), MODEL, 1, 2) > 0
    (tasks,) = opened
    assert tasks.devices == [device]
    assert (tasks.settings.threads, tasks.settings.workers) == (threads, 4)
    assert sr.stop() == 0


class _SlowToForget(NotedTasks):
    """While it forgets, another thread asks the engine for something."""

    engine: SrEngine

    def remove(self, _numbers: object) -> None:
        asking = threading.Thread(target=self.engine.set_webp_quality, args=(80,), daemon=True)
        asking.start()
        asking.join(10.0)
        self.was_answered = not asking.is_alive()


def test_others_are_answered_while_all_is_forgotten() -> None:
    noted = _LivesNoted(_SlowToForget)
    tasks = noted.begin()
    assert noted.engine.add(Wish(png(), 0, 1, scale=2)) > 0
    noted.engine.clear()
    assert tasks.was_answered


class _SlowToTake(NotedTasks):
    """While its disk takes a picture, another thread asks the engine for something, and that picture ends."""

    engine: SrEngine

    def add(self, data: bytes, recipe: Recipe, device: str) -> int:
        number = super().add(data, recipe, device)
        asking = threading.Thread(target=self.engine.load, kwargs={"waits": False}, daemon=True)
        asking.start()
        asking.join(10.0)
        self.was_answered = not asking.is_alive()
        self.ended(number)
        return number

    def status(self, _number: int) -> None: ...

    result = remove = status


def test_others_are_answered_while_a_picture_is_written_and_its_end_is_not_missed() -> None:
    noted = _LivesNoted(_SlowToTake)
    tasks, engine = noted.begin(), noted.engine
    assert engine.add(Wish(png(), 0, 7, scale=2)) > 0
    assert tasks.was_answered
    loaded = engine.load(waits=False)
    assert loaded is not None
    assert loaded[2] == 7
    assert engine.load(waits=False) is None


class _Forgotten(NotedTasks):
    """Its tasks are gone when they are asked for."""

    def status(self, _number: int) -> None: ...

    result = remove = status


def test_what_ended_in_an_earlier_life_ends_nothing_in_the_next() -> None:
    noted = _LivesNoted(_Forgotten)
    first, engine = noted.begin(), noted.engine
    assert engine.add(Wish(png(), 0, 1, scale=2)) > 0
    noted.begin()
    first.ended(1)  # the thread that tells of it was still on its way
    assert engine.add(Wish(png(), 0, 9, scale=2)) > 0
    assert engine.load(waits=False) is None
    first.ended(1)
    assert engine.load(waits=False) is None
    noted.lives[1].ended(1)
    assert engine.load(waits=False) == (None, "", 9, 0.0)


def test_what_ends_after_it_was_removed_is_forgotten() -> None:
    noted = _LivesNoted(_Forgotten)
    tasks, engine = noted.begin(), noted.engine
    assert engine.add(Wish(png(), 0, 1, scale=2)) > 0
    engine.remove([1])
    tasks.ended(1)
    assert engine.add(Wish(png(), 0, 2, scale=2)) > 0
    assert engine.load(waits=False) is None
    assert engine._open is not None
    assert engine._open.early == set()
