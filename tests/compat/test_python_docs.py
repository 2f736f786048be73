"""docs/python.md: its programs run as they stand there, and it knows every call."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from compat_workers import gated_crew, png, settings_in, shown

import enlarger
from enlarger import UpscaleManager
from enlarger.compat import sr_vulkan
from enlarger.compat.sr_engine import SrEngine
from enlarger.compat.tasks import Tasks
from source_trees import ROOT

DOCUMENT = (ROOT / "docs" / "python.md").read_text("utf-8")


def program(beginning: str) -> str:
    (found,) = [code for code in re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.M | re.S) if beginning in code]
    return str(found)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"data": png()}
    exec(compile(code, "docs/python.md", "exec"), names)
    return names


@pytest.mark.usefixtures("manager")
def test_the_manager_s_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    left = run(program("manager = UpscaleManager()"))
    assert shown(left["enlarged"]) == ("WEBP", (60, 60), 1)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("manager")
def test_the_functions_program_runs() -> None:
    left = run(program("enlarger.upscale_image(data"))
    assert shown(left["enlarged"]) == ("WEBP", (60, 60), 1)
    assert UpscaleManager().wait_for_task(left["task"])


def test_the_program_for_sr_vulkan_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_crew = gated_crew(tmp_path)
    opened = SrEngine(
        lambda _settings, ended: Tasks(settings_in(tmp_path), make_crew=make_crew, ended=ended), lambda _settings: ()
    )
    monkeypatch.setattr(sr_vulkan, "_engine", opened)
    left = run(program("from enlarger.compat import sr_vulkan as sr"))
    assert (shown(left["enlarged"]), left["format_name"], left["back_id"]) == (("WEBP", (60, 60), 1), "webp", 7)


def test_every_call_is_documented() -> None:
    members = [name for name in vars(UpscaleManager) if not name.startswith("_")]
    functions = [name for name in enlarger.__all__ if name.startswith(("get_", "is_", "upscale"))]
    told = re.compile(r"[`.](\w+)[(`]").findall(DOCUMENT)
    assert {*members, *functions} - set(told) == set()
    options = [*inspect.signature(UpscaleManager.add_task).parameters][1:]
    assert [option for option in options if option not in DOCUMENT] == []
