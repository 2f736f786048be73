"""Child processes are run by a Python, never by a frozen program, which would only begin again."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import spawn
from pathlib import Path
from typing import Any

import pytest

from enlarger.runtimes import devices_apart, vulkan_devices
from enlarger.runtimes.interpreter import run_module
from enlarger.settings import Settings


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that were to be started; none is."""
    programs: list[str] = []

    def note(command: list[str], **_options: Any) -> None:
        programs.append(command[0])
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", note)
    return programs


def _ask(settings: Settings) -> None:
    assert devices_apart.list_devices_apart(settings, anew=True) == ()
    assert vulkan_devices.run_child(()) == ("", "unstarted")


def test_a_frozen_program_is_not_begun_again(
    settings: Settings, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    _ask(settings)
    assert begun == []


def test_multiprocessings_interpreter_is_taken(
    settings: Settings, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawn, "_python_exe", os.fsencode("/opt/python"))
    _ask(settings)
    assert begun == ["/opt/python"] * 2


def test_without_any_no_device_is_found(settings: Settings, begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_python_exe", None)
    _ask(settings)
    assert begun == []


def test_a_module_is_run_with_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, sys\nimport enlarger\nprint(os.environ['MORE'], *sys.argv[1:], enlarger.__name__)\n"
    (tmp_path / "told.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # stays behind our own package
    done = run_module("told", "a", "b", timeout_s=60, environment={"MORE": "more"})
    assert (done.returncode, done.stdout.split()) == (0, [b"more", b"a", b"b", b"enlarger"])
