"""The image's and the compose file's words are true: what they copy, run, ask and set is there."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from enlarger.books.unpackers import no_unpacker
from enlarger.cli.app import build_app
from enlarger.cli.listening import is_loopback
from enlarger.settings import Settings
from scripts import docker_steps
from source_trees import ROOT

_COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
_ENTRYPOINT = ROOT / "docker" / "entrypoint.sh"
posix = pytest.mark.skipif(os.name == "nt", reason="the entry point is a shell script")


def _variables() -> set[str]:
    return {f"ENLARGER_{name.upper()}" for name in Settings.model_fields}


# ---- Dockerfile ----


def test_what_is_copied_is_there_and_not_ignored() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    copies = [step.words[:-1] for step in docker_steps.steps() if step.name == "COPY" and "--from" not in step.text]
    sources = [source for sources in copies for source in sources]
    assert "*" in rules
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch.fnmatch(source, each) or source.startswith(f"{each}/") for each in kept), source


def test_the_image_has_what_unpacks_rars() -> None:
    (installing,) = (step for step in docker_steps.steps() if docker_steps.INSTALLS in step.text)
    told = no_unpacker(Path("a.cbr")).remedy
    assert told is not None
    assert set(installing.packages) == set(docker_steps.PROGRAMS)
    if sys.platform == "linux":
        assert all(package in told.text("en") for package in installing.packages)  # of what the remedy names


def test_of_a_folder_the_content_is_copied_as_docker_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_steps, "ROOT", tmp_path)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package.json").write_text("{}")
    (tmp_path / "README.md").write_text("read")
    (tmp_path / "Dockerfile").write_text("WORKDIR /build/web\nCOPY web ./\nCOPY README.md ./\n")
    image = docker_steps.Image(tmp_path / "root", sys.executable)
    monkeypatch.setattr(docker_steps.steps, "__defaults__", (tmp_path / "Dockerfile",))
    image.build()
    assert sorted(path.name for path in (tmp_path / "root" / "build" / "web").iterdir()) == [
        "README.md",
        "package.json",
    ]


def test_the_package_finds_what_its_build_needs() -> None:
    copied = " ".join(step.text for step in docker_steps.steps() if step.name == "COPY")
    for named in re.findall(r'^readme = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M):
        assert named in copied


def test_the_command_is_one_and_listens_where_the_container_is_asked() -> None:
    program, *arguments = docker_steps.only("CMD").words
    assert program == "enlarger"
    group = typer.main.get_command(build_app())
    command = group.commands[arguments[0]]  # type: ignore[attr-defined]
    context = command.make_context("enlarger", arguments[1:])
    assert not is_loopback(context.params["host"])
    assert [str(port) for port in context.params["ports"]] == docker_steps.only("EXPOSE").words


def test_its_variables_are_settings_and_its_volumes_theirs() -> None:
    named = {name: value for name, value in docker_steps.variables().items() if name.startswith("ENLARGER_")}
    assert set(named) <= _variables()
    assert set(docker_steps.only("VOLUME").words) == set(named.values())


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_the_health_check_says_what_the_server_says(status: int | None, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status or 200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        if status is None:
            server.shutdown()
            server.socket.close()
        command = [sys.executable, *docker_steps.health_command()[1:]]
        command = [word.replace(":8001", f":{server.server_port}") for word in command]
        assert docker_steps.health_command()[0] == "python"
        assert subprocess.run(command, capture_output=True, check=False).returncode == code
        if status is not None:
            server.shutdown()


# ---- the entry point ----


def _entered(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    folders = {f"ENLARGER_{name}_DIR": str(tmp_path / name.lower()) for name in ("STORAGE", "CACHE", "DATA")}
    environment = {"PATH": os.environ["PATH"], **folders, **variables}
    return subprocess.run(
        ["sh", str(_ENTRYPOINT), *command], env=environment, capture_output=True, text=True, check=False
    )


@posix
def test_the_entry_point_hands_on_command_and_exit_code(tmp_path: Path) -> None:
    done = _entered(tmp_path, "sh", "-c", 'echo "$0 $HOME"; exit 7', "with spaces", PUID=str(os.getuid()), PGID="0")
    assert (done.stdout, done.returncode) == (f"with spaces {tmp_path / 'data'}\n", 7), done.stderr


@posix
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may become somebody else")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_as_root_it_becomes_somebody_else_who_owns_the_volumes(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "old").write_text("of root")
    done = _entered(tmp_path, "sh", "-c", "id -u; id -g; id -G", PUID="12345", PGID="23456")
    assert done.stdout.split() == ["12345", "23456", "23456"], done.stderr
    for path in (tmp_path / "storage" / "old", tmp_path / "cache", tmp_path / "data"):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


# ---- compose ----


def test_compose_sets_settings_and_mounts_the_volumes() -> None:
    service = _COMPOSE["services"]["enlarger"]
    named = {name for name in service["environment"] if name.startswith("ENLARGER_")}
    assert named <= _variables()
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert mounted == set(docker_steps.only("VOLUME").words)
    for each in _COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in each["ports"])


def test_suwayomi_calls_the_hook_by_a_name_that_is_let_in_with_the_token() -> None:
    enlarger, suwayomi = (_COMPOSE["services"][name]["environment"] for name in ("enlarger", "suwayomi"))
    (url,) = re.findall(r'target = "([^"]+)"', suwayomi["SERVE_CONVERSIONS"])
    host, port, query = re.fullmatch(r"http://(\w+):(\d+)/convert\?(.+)", url).groups()  # type: ignore[union-attr]
    assert host in _COMPOSE["services"]
    assert host in enlarger["ENLARGER_ALLOWED_HOSTS"].split(",")
    assert [port] == docker_steps.only("EXPOSE").words
    assert query == "within=2s"
    assert "Bearer ${ENLARGER_TOKEN}" in suwayomi["SERVE_CONVERSIONS"]
    assert suwayomi["SERVE_CONVERSIONS"].count("{") - 1 == suwayomi["SERVE_CONVERSIONS"].count("${")  # none in another


def test_there_is_time_to_stop() -> None:
    grace_s = int(re.match(r"\d+", _COMPOSE["services"]["enlarger"]["stop_grace_period"])[0])  # type: ignore[index]
    assert grace_s >= 30  # answers on their way, then pages in hand: ten seconds each


# ---- Windows ----


def test_the_batch_file_starts_the_server() -> None:
    text = (ROOT / "start_service.bat").read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n")  # cmd.exe loses its place in others
    assert not text.startswith(b"\xef\xbb\xbf")
    lines = text.decode("utf-8").splitlines()
    assert lines.index("chcp 65001 >nul") < next(n for n, line in enumerate(lines) if not line.isascii())
    assert sum("enlarger" in line and line.strip().endswith("serve %*") for line in lines) == 2
    assert any("%~dp0" in line for line in lines)


def test_the_batch_file_goes_only_where_there_is_a_label_and_hands_on_every_option() -> None:
    lines = [line.strip() for line in (ROOT / "start_service.bat").read_text("utf-8").splitlines()]
    labels = {line.removeprefix(":") for line in lines if line.startswith(":")}
    assert {line.split("goto ")[1] for line in lines if "goto " in line} == labels
    assert not any(line.endswith("(") for line in lines)  # a bracket among the options would end the block
    calls = [at for at, line in enumerate(lines) if line.endswith("serve %*")]
    assert all(lines[at + 1] == "set code=%errorlevel%" for at in calls)
    assert all(line.isascii() for line in lines if not line.startswith("echo"))
