"""Looking after workers, on a clock of the test's own and a crew that only notes what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from test_in_hand import claim

from enlarger.jobs.in_hand import InHand
from enlarger.jobs.protocol import Idle, Ready, TileDone, Unload, WorkerDied
from enlarger.jobs.worker_care import CareLimits, WorkerCare


@dataclass
class NotingCrew:
    rss_bytes: int = 100
    killed: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def kill(self, worker: str) -> None:
        self.killed.append(worker)

    def send(self, _worker: str, message: Any) -> bool:
        self.sent.append(message)
        return True

    def states(self) -> list[Any]:
        return [SimpleNamespace(id="one", rss_bytes=self.rss_bytes)]


class Ward:
    def __init__(self) -> None:
        self.now = 0.0
        self.crew = NotingCrew()
        self.hand = InHand()
        limits = CareLimits(growth_bytes=1000, idle_unload_s=300.0)
        self.care = WorkerCare(self.crew, self.hand, limits, clock=lambda: self.now)  # type: ignore[arg-type]
        self.care.hear("one", Ready(1))
        self.care.hear("one", Idle(100, ()))

    def works(self) -> None:
        self.hand.add("one", claim(1))
        self.care.began("one")

    def looks_at(self, now: float) -> None:
        self.now = now
        self.care.look()


def test_a_silent_worker_is_killed_once() -> None:
    ward = Ward()
    ward.now = 5000.0
    ward.works()  # what was before does not count
    ward.looks_at(5600.0)
    assert ward.crew.killed == []
    ward.care.hear("one", TileDone(1, 0.5))
    ward.looks_at(6200.0)
    assert ward.crew.killed == []
    ward.looks_at(6201.0)
    ward.looks_at(6202.0)
    assert ward.crew.killed == ["one"]
    assert ward.care.ready == []
    ward.care.hear("one", WorkerDied(-9, 9))
    assert ward.care.present == []


def test_who_rests_long_enough_closes_its_models_once() -> None:
    ward = Ward()
    ward.looks_at(299.0)
    assert ward.crew.sent == []
    ward.looks_at(300.0)
    ward.looks_at(700.0)
    assert ward.crew.sent == [Unload()]
    ward.works()
    ward.hand.take(1)
    ward.care.hear("one", Idle(100, ()))
    ward.looks_at(1000.0)
    assert len(ward.crew.sent) == 2


def test_a_worker_that_grew_is_replaced_when_it_has_nothing_in_hand() -> None:
    ward = Ward()
    ward.works()
    ward.crew.rss_bytes = 1101
    ward.looks_at(1.0)
    ward.looks_at(60.0)
    assert ward.care.ready == ["one"]
    ward.looks_at(61.0)
    assert ward.care.ready == []  # it gets no more, so that it can be weighed
    assert ward.crew.killed == []
    ward.hand.take(1)
    ward.care.hear("one", Idle(1101, ()))
    assert ward.crew.killed == ["one"]


def test_a_large_page_alone_replaces_nobody() -> None:
    ward = Ward()
    ward.works()
    ward.crew.rss_bytes = 5000
    ward.looks_at(1.0)
    ward.looks_at(61.0)
    ward.hand.take(1)
    ward.care.hear("one", Idle(1100, ()))
    assert ward.care.ready == ["one"]
    assert ward.crew.killed == []
