"""The parent's side of the workers: starts them, hears them, and replaces the ones that die."""

from __future__ import annotations

import atexit
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import wait
from typing import TypeAlias

from enlarger.jobs.crew_member import CrewMember, WorkerState
from enlarger.jobs.protocol import FromCrew, Start, Stop, ToWorker, UseDevice, WorkerDied, WorkerLeft
from enlarger.jobs.worker import WorkerSetup

ANY_DEVICE = "auto"
_LONGEST_PAUSE_S = 30.0
_END_S = 5.0  # how long a process may take to end once its pipe is closed

Heard: TypeAlias = tuple[str, FromCrew]
"""A worker's name, and what it said or became of it."""


@dataclass(frozen=True)
class _Replacement:
    at: float  # on the monotonic clock
    share: int
    failures: int
    device: str


class Crew:
    """Worker processes by name. One thread owns it; `wake` and `states` may be called from any.

    A name is never used twice: a worker that is replaced gets a new one, so nothing late can be mistaken.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._least = 1  # workers, however few devices there are
        self._devices: tuple[str, ...] = (ANY_DEVICE,)
        self._members: dict[str, CrewMember] = {}
        self._due: list[_Replacement] = []
        self._numbers = count(1)
        self._lock = threading.Lock()  # states() looks from other threads
        self._woken = threading.Event()
        self._ear, self._bell = multiprocessing.get_context("spawn").Pipe(duplex=False)
        atexit.register(self._abandon)  # before multiprocessing waits for its children, which wait for their pipes

    def start(self, workers: int, devices: Sequence[str] = (ANY_DEVICE,)) -> None:
        """Start so many, or one for each device; they are ready when they say so. All share the cores."""
        self._least, self._devices = workers, tuple(devices)
        wanted = max(workers, len(devices))
        for _ in range(wanted):
            self._spawn(wanted, self._next_device())

    def use_devices(self, devices: Sequence[str]) -> None:
        """Deal the workers out to these devices, in turn; each takes its own from the next page on.

        As many as there are devices, and at least as many as were started: surplus ones finish what they have. All
        share the cores and the memory anew.
        """
        self._devices = tuple(devices)
        members = [member for member in self._members.values() if member.state != "draining"]
        wanted = max(self._least, len(devices))
        due, self._due = self._due[: max(wanted - len(members), 0)], []
        for member in members[wanted:]:
            self.remove_worker(member.name)
        for number, member in enumerate(members[:wanted]):
            self._pin(member, self._devices[number % len(self._devices)], wanted)
        for each in due:  # one by one: each counts for the next
            self._due.append(replace(each, device=self._next_device(), share=wanted))
        for _ in range(wanted - len(members) - len(self._due)):
            self._spawn(wanted, self._next_device())

    def add_worker(self) -> str:
        """One more; its name."""
        return self._spawn(len(self._members) + len(self._due) + 1, self._next_device())

    def remove_worker(self, worker: str, *, drain: bool = True) -> None:
        """One fewer: it gives back what it has not begun and finishes the rest, or ends at once. WorkerLeft follows."""
        member = self._members.get(worker)
        if member is None:
            return
        member.state = "draining"
        if drain and member.is_up:
            member.send(Stop())
        else:
            member.kill()

    def send(self, worker: str, message: ToWorker) -> bool:
        """False when it cannot take it: gone, or, for a Start, not ready for work."""
        member = self._members.get(worker)
        if member is None or (isinstance(message, Start) and not member.takes_work):
            return False
        return member.send(message)

    def kill(self, worker: str) -> None:
        """End a worker that does not answer; WorkerDied follows, and a new worker."""
        if worker in self._members:
            self._members[worker].kill()

    def poll(self, timeout_s: float) -> list[Heard]:
        """What has been heard, after waiting for it for so long; a `wake` ends the wait."""
        self._replace_due()
        wait_s = min([timeout_s, *(max(0.0, each.at - time.monotonic()) for each in self._due)])
        by_pipe = {member.pipe: member for member in self._members.values()}
        heard: list[Heard] = []
        for ready in wait([self._ear, *by_pipe], wait_s):
            if ready is self._ear:
                self._hear_bell()
            else:
                heard += self._hear(by_pipe[ready])  # type: ignore[index]
        self._replace_due()
        return heard

    def wake(self) -> None:
        """Let `poll` return, now or the next time. From any thread."""
        with self._lock:
            if not self._woken.is_set():
                self._woken.set()
                with suppress(OSError):  # stopped already
                    self._bell.send_bytes(b"!")

    def states(self) -> list[WorkerState]:
        """How each worker is, the oldest first. From any thread."""
        with self._lock:
            members = list(self._members.values())
        return [member.look() for member in members]

    def stop(self, grace_s: float) -> list[Heard]:
        """End all: pages in hand may be finished for so long. What was heard meanwhile, up to WorkerLeft of each."""
        self._due.clear()
        for worker, member in list(self._members.items()):
            self.remove_worker(worker, drain=grace_s > 0 and member.state != "starting")
        heard = self._hear_until(time.monotonic() + grace_s)
        for member in self._members.values():
            member.kill()
        heard += self._hear_until(time.monotonic() + _END_S)
        self._abandon()
        atexit.unregister(self._abandon)
        return heard

    def _hear_until(self, end: float) -> list[Heard]:
        heard: list[Heard] = []
        while self._members and (left_s := end - time.monotonic()) > 0:
            heard += self.poll(left_s)
        return heard

    def _abandon(self) -> None:
        """Close every pipe: at that a worker ends by itself."""
        for pipe in (self._ear, self._bell, *(member.pipe for member in self._members.values())):
            pipe.close()

    def _pin(self, member: CrewMember, device: str, share: int) -> None:
        if (member.device, member.share) != (device, share):
            member.device, member.share = device, share  # first: one that is dead already is replaced there
            member.send(UseDevice(device, share))

    def _next_device(self) -> str:
        """The one with the fewest workers, of those that wait to be replaced too."""
        at_work = [member.device for member in self._members.values() if member.state != "draining"]
        held = Counter([*at_work, *(each.device for each in self._due)])
        named = Counter(self._devices)  # one that is named twice gets twice as many
        return min(named, key=lambda device: held[device] / named[device])

    def _spawn(self, share: int, device: str, failures: int = 0) -> str:
        name = f"worker-{next(self._numbers)}"
        try:
            member = CrewMember(name, self._setup, share, failures, device)
        except OSError:  # no process or file handle left on this machine
            self._replace_later(share, device, failures + 1)
            return name
        with self._lock:
            self._members[name] = member
        return name

    def _hear(self, member: CrewMember) -> list[Heard]:
        heard: list[Heard] = []
        try:
            while member.pipe.poll():
                message = member.pipe.recv()
                member.note(message)
                heard.append((member.name, message))
        except (EOFError, OSError):
            heard.append((member.name, self._bury(member)))
        return heard

    def _bury(self, member: CrewMember) -> WorkerDied | WorkerLeft:
        with self._lock:
            del self._members[member.name]
        exit_code = member.end(_END_S)
        if member.state == "draining":
            return WorkerLeft()
        self._replace_later(member.share, member.device, member.failures + 1)
        return WorkerDied(exit_code, -exit_code if exit_code < 0 else None)

    def _hear_bell(self) -> None:
        with self._lock:
            self._ear.recv_bytes()
            self._woken.clear()

    def _replace_later(self, share: int, device: str, failures: int) -> None:
        self._due.append(_Replacement(time.monotonic() + pause_s(failures), share, failures, device))

    def _replace_due(self) -> None:
        now = time.monotonic()
        due = [each for each in self._due if each.at <= now]
        self._due = [each for each in self._due if each.at > now]
        for each in due:
            self._spawn(each.share, each.device, each.failures)


def pause_s(failures: int) -> float:
    """Seconds before a worker is replaced that is the so-manieth to die without finishing a page: 0, 1, 2, 4 … 30."""
    return 0.0 if failures <= 1 else min(2.0 ** (failures - 2), _LONGEST_PAUSE_S)
