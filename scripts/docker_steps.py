"""Runs what the Dockerfile says in an empty folder, where there is no Docker: install, start, health check, stop.

    python -m scripts.docker_steps [--python python3.12] [--keep]

Absolute folders of the image lie below the folder; as root the server runs as another user (PUID), as in the container,
who must be able to read that Python. The stage of the web application needs this machine's npm; packages of the system
are looked for, not installed. What this cannot show: the base images, and that nothing outside them is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
_ROOTS = ("/opt/enlarger", "/usr/local/bin", "/build", "/storage", "/cache", "/data")
_PUID = _PGID = os.environ.get("PUID", "12345")
_READY_S = 120
_TOKEN = "docker-steps"  # noqa: S105 - of a server that lives for a minute
INSTALLS = "apt-get install"
PROGRAMS = {"unar": "unar", "libarchive-tools": "bsdtar"}
_NOT_COPIED = {"__pycache__", "node_modules"}  # as .dockerignore says, and the next
_BUILT = ("server", "ui")


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile: RUN, and what stands behind it with its lines joined."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The JSON form (["a", "b"]), else the words as a shell splits them."""
        text = self.text.strip()
        return [str(each) for each in json.loads(text)] if text.startswith("[") else shlex.split(text)

    @property
    def packages(self) -> list[str]:
        """Debian packages that a RUN installs."""
        (command,) = (part for part in self.text.split("&&") if INSTALLS in part)
        return [word for word in command.split(INSTALLS)[1].split() if not word.startswith("-")]


def steps(path: Path = DOCKERFILE) -> list[Step]:
    """The instructions in order, without comments."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [Step(*line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def only(name: str) -> Step:
    """The one instruction of this name."""
    (step,) = (step for step in steps() if step.name == name)
    return step


def health_command() -> list[str]:
    """What HEALTHCHECK runs."""
    return Step("CMD", only("HEALTHCHECK").text.split("CMD", 1)[1]).words


def variables() -> dict[str, str]:
    """Everything that ENV sets."""
    pairs = [word.split("=", 1) for step in steps() if step.name == "ENV" for word in step.words]
    return dict(pairs)


def _own(python: str) -> str:
    command = [shutil.which(python) or python, "-c", "import sys; print(sys._base_executable)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Image:
    """A folder that stands for the image's file system."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self.python = _own(python)  # not a shim, which the other user cannot read
        self.folder = root
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self._bin = root / "python"
        self._bin.mkdir(parents=True)
        (self._bin / "python").symlink_to(self.python)  # the base image has its Python under this name

    def build(self) -> None:
        """ENV, WORKDIR, COPY and RUN, as they come."""
        for step in steps():
            match step.name:
                case "ENV":
                    self._set(step)
                case "WORKDIR":
                    self.folder = self.inside(step.words[0])
                    self.folder.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(*step.words)
                case "RUN" if INSTALLS in step.text:
                    self._check_installed(step)
                case "RUN":
                    _say(f"RUN {step.text}")
                    subprocess.run(["sh", "-c", self.moved(step.text)], cwd=self.folder, env=self.shell(), check=True)

    def start(self, port: int) -> subprocess.Popen[bytes]:
        """ENTRYPOINT with CMD, on another port, for another user where that can be."""
        command = [self.moved(word) for word in (*only("ENTRYPOINT").words, *only("CMD").words)]
        command[0] = str(self.inside("/usr/local/bin") / command[0])
        command[command.index("8001")] = str(port)
        environment = {**self.shell(), "ENLARGER_TOKEN": _TOKEN, "PUID": _PUID, "PGID": _PGID}
        return subprocess.Popen(command, cwd=self.folder, env=environment)

    def is_healthy(self, port: int) -> bool:
        """What HEALTHCHECK says."""
        command = [word.replace(":8001", f":{port}") for word in health_command()]
        return subprocess.run(command, env=self.shell(), capture_output=True, check=False).returncode == 0

    def inside(self, path: str) -> Path:
        """Where a folder of the image lies here."""
        return Path(self.moved(path)) if path.startswith("/") else self.folder / path

    def moved(self, text: str) -> str:
        """The text with the image's folders replaced."""
        roots = "|".join(map(re.escape, _ROOTS))
        return re.sub(rf"(?<![\w.-])({roots})(?![\w.-])", lambda found: f"{self.root}{found[1]}", text)

    def shell(self) -> Mapping[str, str]:
        """The variables that commands see: the image's Python before this machine's."""
        path = self.environment["PATH"].replace(os.environ["PATH"], f"{self._bin}:{os.environ['PATH']}")
        index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {**index, **self.environment, "PATH": path}

    def _check_installed(self, step: Step) -> None:
        """What the image installs changes a machine, not a folder: here it must be there already."""
        for package in step.packages:
            is_here = shutil.which(PROGRAMS[package]) is not None
            _say(f"{package}: {'is here' if is_here else 'NOT HERE, so compressed rars cannot be read'}")

    def _set(self, step: Step) -> None:
        for word in step.words:
            name, value = word.split("=", 1)
            self.environment[name] = self.moved(value).replace("$PATH", self.environment["PATH"])

    def _copy(self, *words: str) -> None:
        *sources, target = (word for word in words if not word.startswith("--from="))
        of_stage = len(sources) + 1 < len(words)  # all stages share this folder: their paths differ
        for source in sources:
            found = self.inside(source) if of_stage else ROOT / source
            is_into = target.endswith("/") and not found.is_dir()  # of a folder it is the content that is copied
            into = self.inside(target) / found.name if is_into else self.inside(target)
            into.parent.mkdir(parents=True, exist_ok=True)
            if found == into:
                continue
            if found.is_dir():
                shutil.copytree(found, into, ignore=_ignored, dirs_exist_ok=True)
            else:
                shutil.copy2(found, into)


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _NOT_COPIED or (Path(folder).name, name) == _BUILT}


def main() -> int:
    """Build, start, ask, stop; 0 when all of it went as the container would need it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--keep", action="store_true", help="leave the folder there")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="enlarger-image-"))
    folder.chmod(0o755)  # the other user must come in, as in a container
    try:
        image = Image(folder / "root", chosen.python)
        image.build()
        return _run(image)
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run(image: Image) -> int:
    port = free_port()
    process = image.start(port)
    try:
        waits = {
            "The health check": partial(image.is_healthy, port),
            "Readiness": partial(answers, port, "/readyz"),
            "The web application": partial(answers, port, "/ui/"),
        }
        for what, wait in waits.items():
            if not any(wait() for _ in _until(process)):
                _say(f"{what} never came.")
                return 1
        owner = (image.inside("/storage") / "ledger.sqlite").stat().st_uid
        wanted = int(_PUID) if os.getuid() == 0 else os.getuid()
        _say(f"healthy, ready, with the web application; files belong to {owner}, wanted {wanted}")
        process.send_signal(getattr(signal, only("STOPSIGNAL").words[0]))
        code = process.wait(60)
        _say(f"stopped with {code}; unhealthy afterwards: {not image.is_healthy(port)}")
        return int(code != 0 or owner != wanted)
    finally:
        process.kill()
        process.wait()


def answers(port: int, path: str) -> bool:
    """Whether the server gives 200 for a path, as somebody who has its token."""
    try:
        told = httpx.get(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {_TOKEN}"}, timeout=5)
    except httpx.TransportError:
        return False
    return told.is_success


def _until(process: subprocess.Popen[bytes]) -> Iterator[None]:
    deadline = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < deadline:
        yield
        time.sleep(0.5)


def free_port() -> int:
    """A port of loopback that nobody has just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
