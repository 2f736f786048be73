"""What lies in the folder that Enlarger was started in is never run: comics are downloaded into such folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.runtimes import devices_apart, vulkan_devices
from enlarger.settings import Settings


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that code in the current folder makes when it is run."""
    hostile, made = tmp_path / "downloads", tmp_path / "ran"
    hostile.mkdir()
    for module in ("json", "platform", "enlarger"):
        (hostile / f"{module}.py").write_text(f"open({str(made)!r}, 'w').close()\nraise SystemExit(1)\n")
    monkeypatch.chdir(hostile)
    return made


def test_the_child_that_lists_devices_runs_none_of_it(ran: Path, settings: Settings) -> None:
    devices_apart._asked(settings)
    assert not ran.exists()


def test_the_child_that_probes_vulkan_runs_none_of_it(ran: Path) -> None:
    vulkan_devices.run_child(())
    assert not ran.exists()
