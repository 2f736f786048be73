"""The guides' programs run as they stand in the guides, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_running import SMALL_MODEL, draw_folder, require_weights
from running_server import RunningServer, running

from source_trees import ROOT

_CLIENTS = (ROOT / "docs" / "guides" / "clients.md").read_text("utf-8")
_OPTIONS = [f"model={SMALL_MODEL}", "device=fake"]


def program(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", _CLIENTS, re.M | re.S)
    return str(found)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    require_weights()
    with running(tmp_path_factory.mktemp("server"), ENLARGER_TOKEN="friend") as started:
        assert started.url
        yield started


def run(server: RunningServer, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "ENLARGER_SERVER": server.url, "ENLARGER_TOKEN": "friend"}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=240)


def test_the_python_client_is_short() -> None:
    assert len([line for line in program("python").splitlines() if line.strip()]) <= 30


@pytest.mark.weights
def test_the_python_client_fetches_a_volume(server: RunningServer, tmp_path: Path) -> None:
    draw_folder(tmp_path / "My Pages", 3)
    (tmp_path / "client.py").write_text(program("python"), "utf-8")
    done = run(server, sys.executable, "client.py", "My Pages", "result.zip", *_OPTIONS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done result.zip"
    assert sum("page_done" in line for line in done.stdout.splitlines()) == 3
    assert {f"{number:03}.png" for number in range(3)} <= set(zipfile.ZipFile(tmp_path / "result.zip").namelist())
    refused = run(server, sys.executable, "client.py", "My Pages", "x.zip", "scale=99", folder=tmp_path)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


@pytest.mark.weights
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_shell_client_fetches_a_volume(server: RunningServer, tmp_path: Path) -> None:
    draw_folder(tmp_path / "pages", 2)
    with zipfile.ZipFile(tmp_path / "My Volume.cbz", "w") as archive:
        for page in sorted((tmp_path / "pages").iterdir()):
            archive.write(page, page.name)
    (tmp_path / "client.sh").write_text(program("sh"), "utf-8")
    done = run(server, "sh", "client.sh", "My Volume.cbz", "result.zip", *_OPTIONS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" result.zip")
    assert {"000.png", "001.png"} <= set(zipfile.ZipFile(tmp_path / "result.zip").namelist())
    one = re.findall(r"^# (curl .*)$", program("sh"), re.M)[0].replace("page.png", "pages/000.png")
    line = f'server=$ENLARGER_SERVER; auth="Authorization: Bearer $ENLARGER_TOKEN"; {one}'
    line = line.replace("scale=2&noise=1", f"scale=2&noise=1&model={SMALL_MODEL}&device=fake")
    done = run(server, "sh", "-c", line, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page_2x.png").read_bytes().startswith(b"\x89PNG")
