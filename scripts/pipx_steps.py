"""Builds the wheel with the web application in it and installs it as pipx does: `python -m scripts.pipx_steps`.

    python -m scripts.pipx_steps [--wheel FILE] [--keep]

A pipx of its own, in a folder that goes afterwards, gives the command a virtual environment of its own; then
`enlarger --version` is run, `enlarger serve` started, and /ui/ with all that its page names fetched. Needs npm, unless
the web application was built before, and the package index.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import httpx

from scripts.docker_steps import ROOT, free_port

_READY_S = 180
_PAGE = "enlarger/server/ui/index.html"
_NAMED = re.compile(r'(?:src|href)="([^"#:]+)"')
_SCRIPTS, _SUFFIX = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")


def program(environment: Path, name: str) -> Path:
    """A program of a virtual environment, or of pipx's folder of programs."""
    return environment / _SCRIPTS / f"{name}{_SUFFIX}"


def build_wheel(python: Path, into: Path) -> Path:
    """The wheel of this checkout; its build hook makes the web application."""
    _run(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", into, ROOT)
    (wheel,) = into.glob("*.whl")
    return wheel


def holds_web_application(wheel: Path) -> bool:
    """Whether the page is in it."""
    with zipfile.ZipFile(wheel) as archive:
        return _PAGE in archive.namelist()


def install(python: Path, wheel: Path, home: Path) -> Path:
    """The command as pipx installs it, below `home`."""
    _run(python, "-m", "pip", "install", "pipx")
    programs = home / "programs"
    folders = {"PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(programs), "PIPX_MAN_DIR": str(home / "man")}
    pins = f"--constraint {ROOT / 'constraints.txt'}"
    _run(python, "-m", "pipx", "install", "--pip-args", pins, wheel, **folders)
    return programs / f"enlarger{_SUFFIX}"


def serve(command: Path, folder: Path) -> int:
    """Start the server, fetch its page and all that it names; how many files there were, 0 when it never answered."""
    port = free_port()
    arguments = ["serve", "--port", str(port), "--storage", str(folder / "storage")]
    process = subprocess.Popen([command, *arguments], env=_environment(folder), cwd=folder)
    try:
        return next((found for _ in _until(process) if (found := _fetched(f"http://127.0.0.1:{port}/ui/"))), 0)
    finally:
        process.terminate()
        process.wait(60)


def _fetched(address: str) -> int:
    try:
        page = _get(address).decode("utf-8")
    except httpx.TransportError:
        return 0
    named = sorted(set(_NAMED.findall(page)))
    return 1 + sum(bool(_get(urljoin(address, name))) for name in named)


def _get(address: str) -> bytes:
    return httpx.get(address, timeout=10).raise_for_status().content


def _until(process: subprocess.Popen[bytes]) -> Iterator[None]:
    deadline = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < deadline:
        yield
        time.sleep(0.5)


def _environment(folder: Path) -> Mapping[str, str]:
    """Without what would lead back to this checkout, and with folders that go afterwards."""
    ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    own = {f"ENLARGER_{name}_DIR": str(folder / name.lower()) for name in ("DATA", "CACHE")}
    return {**ours, **own, "ENLARGER_OFFLINE": "1"}


def _run(*command: str | Path, **variables: str) -> None:
    print("$", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(list(command), env={**environment, **variables}, check=True)


def main() -> int:
    """Build, install, look; 0 when all is there."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--wheel", type=Path, help="a wheel that was built before")
    options.add_argument("--keep", action="store_true", help="leave the folder there")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="enlarger-pipx-"))
    try:
        venv.create(folder / "venv", with_pip=True)
        python = program(folder / "venv", "python")
        wheel = chosen.wheel or build_wheel(python, folder / "wheel")
        print(f"{wheel.name}: {'with' if holds_web_application(wheel) else 'WITHOUT'} the web application", flush=True)
        command = install(python, wheel, folder)
        _run(command, "--version")
        files = serve(command, folder)
        print(f"/ui/: {files} files", flush=True)
        return int(files < 3 or not holds_web_application(wheel))
    finally:
        if not chosen.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
