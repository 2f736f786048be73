"""Whole programs that have workers: without a guard, interrupted, killed, ending by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from compat_workers import PATIENCE_S, until

import enlarger

HERE = Path(__file__).parent
BEGIN = """
import signal, sys, time
from pathlib import Path
from compat_workers import gated_crew, png, settings_in
from enlarger import UpscaleManager
from enlarger.compat.tasks import Tasks

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
folder = Path(sys.argv[1])
make_crew = gated_crew(folder)
UpscaleManager._open = lambda self, settings: Tasks(settings, make_crew=make_crew)
manager = UpscaleManager(settings_in(folder))
print("begun", flush=True)
"""
# no `if __name__ == "__main__"`: the workers must not run it again
UNGUARDED = (
    BEGIN
    + """
task = manager.add_task(png())
print(manager.wait_for_task(task, 120), flush=True)
"""
)
HELD = (
    BEGIN
    + """
task = manager.add_task(png(90))
while not manager.get_task_status(task)["progress"]:
    time.sleep(0.01)
print(manager.workers()[0].pid, flush=True)
manager.wait_for_task(task, 120)
"""
)


@contextmanager
def running(text: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    script = folder / "script.py"
    script.write_text(text, "utf-8")
    own = Path(enlarger.__file__).parents[1]
    paths = [str(own), str(HERE), str(HERE.parent), str(HERE.parent / "jobs")]
    program = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


@contextmanager
def holding(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program in the middle of a picture, and its worker's process id."""
    with running(HELD, folder) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "begun\n"
        yield program, int(program.stdout.readline())


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_script_needs_no_guard_and_leaves_nothing(tmp_path: Path) -> None:
    with running(UNGUARDED, tmp_path) as program:
        said, complaint = program.communicate(timeout=PATIENCE_S)
    assert (said, complaint, program.returncode) == ("begun\nTrue\n", "", 0)
    assert [path.name for path in (tmp_path / "cache" / "tasks").iterdir()] == [".roots.lock"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT can be sent there")
@pytest.mark.slow
def test_an_interrupt_ends_the_wait_and_the_workers(tmp_path: Path) -> None:
    with holding(tmp_path) as (program, worker):
        program.send_signal(signal.SIGINT)
        _, complaint = program.communicate(timeout=PATIENCE_S)
    assert "KeyboardInterrupt" in complaint
    assert not psutil.pid_exists(worker)


@pytest.mark.slow
def test_workers_of_a_killed_program_end_and_the_next_one_clears_up(tmp_path: Path) -> None:
    with holding(tmp_path) as (program, worker):
        program.kill()
        until(lambda: has_ended(worker))
    tasks = tmp_path / "cache" / "tasks"
    assert len(list(tasks.iterdir())) == 2  # what it had no time to clear up
    with running(UNGUARDED, tmp_path) as program:
        program.communicate(timeout=PATIENCE_S)
    assert [path.name for path in tasks.iterdir()] == [".roots.lock"]
