"""A worker each for the devices that are named, changed while they run; what is truly used is told."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_workers import PATIENCE_S, Hearing, make_graph, page_file, running, setup, start

from enlarger.jobs.crew import Crew
from enlarger.jobs.crew_member import CrewMember
from enlarger.jobs.protocol import Done, Idle, Ready, Stop, ToWorker, UseDevice, WorkerDied, WorkerLeft
from enlarger.jobs.worker import WorkerSetup
from enlarger.messages import Message
from enlarger.settings import Settings

CARDS = ("vulkan:0", "vulkan:1")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Path]:
    """Files that differ, so that none comes from the cache."""
    return (page_file(tmp_path / "in", f"{number}.png", seed=number) for number in range(100))


class Work:
    """Pages sent one after another."""

    def __init__(self, crew: Hearing, pages: Iterator[Path], out: Path) -> None:
        self.crew, self._pages, self._out, self._sent = crew, pages, out, 0

    def page_on(self, worker: str, **changes: Any) -> dict[str, Any]:
        """One page by this worker; how its pass was computed."""
        self._sent += 1
        assert self.crew.crew.send(worker, start(self._sent, next(self._pages), self._out, **changes))
        facts: dict[str, Any] = self.crew.until_heard(Done, self._sent)[-1].result.facts["passes"][0]
        return facts


def devices_of(crew: Hearing) -> list[str]:
    return [state.device for state in crew.crew.states() if state.state != "draining"]


def test_each_device_has_its_worker_and_a_page_may_name_another(
    settings: Settings, graph: Path, pages: Iterator[Path], tmp_path: Path
) -> None:
    with running(setup(settings, graph, devices=CARDS), devices=CARDS) as crew:
        pinned = {state.id: state.device for state in crew.crew.states()}
        assert sorted(pinned.values()) == ["vulkan:0", "vulkan:1"]
        work = Work(crew, pages, tmp_path / "out")
        for worker, device in pinned.items():
            assert work.page_on(worker)["device"] == device
        assert work.page_on(crew.workers()[0], device="cpu")["device"] == "cpu"


def test_the_device_changes_with_the_next_page_in_the_same_process(
    settings: Settings, graph: Path, pages: Iterator[Path], tmp_path: Path
) -> None:
    with running(setup(settings, graph, devices=CARDS)) as crew:
        (worker,) = crew.workers()
        work = Work(crew, pages, tmp_path / "out")
        work.page_on(worker)
        (before,) = crew.crew.states()
        crew.crew.use_devices(["vulkan:1"])
        assert work.page_on(worker)["device"] == "vulkan:1"
        crew.until(lambda _heard: any([m.device for m in idle.models] == ["vulkan:1"] for idle in crew.said(Idle)))
        (after,) = crew.crew.states()
        assert (after.pid, after.device) == (before.pid, "vulkan:1")


def test_there_are_as_many_workers_as_devices_and_no_fewer_than_were_started(settings: Settings, graph: Path) -> None:
    with running(setup(settings, graph, devices=CARDS)) as crew:
        crew.crew.use_devices(["cpu", *CARDS])
        crew.until_heard(Ready, 3)
        assert sorted(devices_of(crew)) == ["cpu", "vulkan:0", "vulkan:1"]
        crew.crew.use_devices(["vulkan:1"])
        crew.until_heard(WorkerLeft, 2)
        assert devices_of(crew) == ["vulkan:1"]


def test_more_workers_than_devices_are_dealt_out_in_turn(settings: Settings, graph: Path) -> None:
    with running(setup(settings, graph, devices=CARDS), workers=3, devices=("vulkan:0", "vulkan:1")) as crew:
        assert sorted(devices_of(crew)) == ["vulkan:0", "vulkan:0", "vulkan:1"]
        crew.crew.use_devices(["cpu"])
        assert devices_of(crew) == ["cpu"] * 3


def test_a_worker_that_dies_is_replaced_on_its_device(settings: Settings, graph: Path) -> None:
    with running(setup(settings, graph, devices=CARDS), devices=CARDS) as crew:
        lost = next(state.id for state in crew.crew.states() if state.device == "vulkan:1")
        crew.crew.kill(lost)
        crew.until_heard(WorkerDied)
        crew.until_heard(Ready, 3)
        assert sorted(devices_of(crew)) == ["vulkan:0", "vulkan:1"]


def test_one_that_is_dead_when_the_devices_change_is_replaced_on_the_new_one(settings: Settings, graph: Path) -> None:
    with running(setup(settings, graph, devices=CARDS), devices=("vulkan:0",)) as crew:
        (dead,) = crew.crew.states()
        crew.crew.kill(dead.id)
        crew.crew._members[dead.id]._process.join(PATIENCE_S)  # nobody has heard of it yet
        crew.crew.use_devices(["vulkan:1", "cpu"])
        crew.until_heard(Ready, 3)
        assert sorted((state.device, state.share) for state in crew.crew.states()) == [("cpu", 2), ("vulkan:1", 2)]


def test_a_device_that_is_not_here_is_replaced_with_the_reason(
    settings: Settings, graph: Path, pages: Iterator[Path], tmp_path: Path
) -> None:
    with running(setup(settings, graph), devices=("vulkan:0",)) as crew:
        facts = Work(crew, pages, tmp_path / "out").page_on(crew.workers()[0])
        assert facts["device"] == "cpu"
        assert "“vulkan:0”" in Message.from_json(facts["fallback"]).text("en")
        crew.until(lambda _heard: any(idle.models for idle in crew.said(Idle)))
        (model,) = next(idle.models for idle in crew.said(Idle) if idle.models)
        assert model.device == "cpu"
        assert model.fallback is not None


def test_workers_that_wait_to_be_replaced_are_dealt_out_in_turn_too(
    settings: Settings, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def no_process_left(_name: str, _setup: WorkerSetup, _share: int, _failures: int, device: str) -> CrewMember:
        asked.append(device)
        raise OSError

    monkeypatch.setattr("enlarger.jobs.crew.CrewMember", no_process_left)
    crew = Crew(setup(settings, graph))
    crew.start(2)
    crew.use_devices(CARDS)
    asked.clear()
    crew.poll(0.0)
    crew.stop(0.0)
    assert sorted(asked[:2]) == ["vulkan:0", "vulkan:1"]


def test_all_share_anew_when_there_are_more_or_fewer(
    settings: Settings, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members: list[_Told] = []
    monkeypatch.setattr("enlarger.jobs.crew.CrewMember", lambda *args: members.append(_Told(*args)) or members[-1])
    crew = Crew(setup(settings, graph))
    crew.start(1)
    crew.use_devices(["cpu", *CARDS])
    assert [(each.device, each.share) for each in members] == [("cpu", 3), ("vulkan:0", 3), ("vulkan:1", 3)]
    assert members[0].told == [UseDevice("cpu", 3)]
    crew.use_devices(["cpu"])
    assert [each.told[-1] for each in members] == [UseDevice("cpu", 1), Stop(), Stop()]
    crew.stop(0.0)


class _Told(CrewMember):
    """A member without a process: what it is told is kept."""

    def __init__(self, name: str, _setup: WorkerSetup, share: int, failures: int, device: str) -> None:
        self.name, self.share, self.failures, self.device = name, share, failures, device
        self.state, self.is_up, self.told = "idle", True, list[ToWorker]()
        self.pipe, self._theirs = multiprocessing.Pipe()
        self._tasks = {}

    def send(self, message: ToWorker) -> bool:
        self.told.append(message)
        return super().send(message)

    def kill(self) -> None:
        self._theirs.close()

    def end(self, patience_s: float) -> int:
        self.pipe.close()
        return 0
