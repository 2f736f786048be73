"""Several processes at one ledger, and processes that are killed while they write."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_making import NO_LIMIT, add_job, memory_disk, new_ledger, result, submission

from enlarger.jobs import Counts, JobState
from enlarger.jobs.ledger import open_ledger

pytestmark = pytest.mark.slow  # nine processes are started

_PAGES = 500
_PROCESSES = 4
_KILLS = 5


def _claim_all(folder: str, name: str) -> list[int]:
    ledger = open_ledger(Path(folder) / "ledger.sqlite")
    pages = []
    while (claim := ledger.claim(worker=name, idle=True)) is not None:
        assert ledger.finish(claim, result(claim.page.name))
        pages.append(claim.page.position)
    ledger.close()
    return pages


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory_disk()) as folder:
        yield Path(folder)


def test_processes_that_race_for_pages_get_each_once(folder: Path) -> None:
    ledger = new_ledger(folder)
    jobs = [add_job(ledger, *map(str, range(_PAGES // 2)), packs=False) for _ in range(2)]
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        claimed = pool.starmap(_claim_all, [(str(folder), f"w{n}") for n in range(_PROCESSES)])
    assert Counter(position for pages in claimed for position in pages) == Counter([*range(_PAGES // 2)] * 2)
    for job in jobs:
        stored = ledger.get(job)
        assert (stored.state, stored.counts) == (JobState.DONE, Counts(total=250, done=250))
        assert {page.attempt for page in ledger.pages(job)} == {1}
        assert [event.number for event in ledger.events(job)] == list(range(1, stored.last_event + 1))
    ledger.close()


_CHILD = """
    import sys
    from itertools import count
    from pathlib import Path
    from ledger_making import NO_LIMIT, add_job, new_pages, result, submission
    from enlarger.jobs.ledger import open_ledger
    ledger = open_ledger(Path(sys.argv[1]))
    ledger.recover()
    print("ready", flush=True)
    for n in count():
        job = add_job(ledger, "a", "b", packs=False)
        print("accepted", job, flush=True)
        for _ in range(2):
            claim = ledger.claim(worker="w", idle=True)
            ledger.finish(claim, result(claim.page.name))
            print("done", claim.page.id, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills with SIGKILL")
def test_what_was_acknowledged_is_there_after_any_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    new_ledger(tmp_path).close()
    said: list[list[str]] = []
    seed = random.Random(7)
    for _ in range(_KILLS):
        said += _run_and_kill(path, lines=seed.randrange(3, 40))
    ledger = open_ledger(path)
    ledger.recover()
    accepted = [words[1] for words in said if words[0] == "accepted"]
    done = Counter(words[1] for words in said if words[0] == "done")
    stored = {job.id: job for job in ledger.find(limit=NO_LIMIT)[0]}
    assert len(accepted) > _KILLS
    assert set(accepted) <= set(stored)
    assert set(done.values()) == {1}, "no page was done twice"
    pages = {str(page.id): page for job in stored for page in ledger.pages(job)}
    assert all(pages[page].state == "done" for page in done)
    for job in stored.values():
        assert job.counts.done == sum(page.state == "done" for page in ledger.pages(job.id))
        assert [event.number for event in ledger.events(job.id)] == list(range(1, job.last_event + 1))
    ledger.submit(submission(), most_waiting=NO_LIMIT)
    ledger.close()


def _run_and_kill(path: Path, lines: int) -> list[list[str]]:
    """What a child said before it was killed at some moment after so many lines."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", textwrap.dedent(_CHILD), str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    with child:
        heard = [child.stdout.readline().split() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        heard += [line.split() for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -signal.SIGKILL, heard
    return heard
