"""The real command in processes of its own, with real weights and its data below one folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FAST_CARD = "waifu2x-upconv7-anime"
EXACT = ("--model", FAST_CARD, "--device", "openvino", "--precision", "exact")  # no calibration: the same every time
_LIMIT_S = 240


@dataclass(frozen=True)
class Done:
    """What a finished command left: exit code, stdout, stderr, and the most memory it held."""

    code: int
    out: str
    err: str
    peak_bytes: int = 0

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def totals(self) -> dict[str, int]:
        """Pages by what became of them."""
        counts = self.json["totals"]
        return {name: counts[name] for name in ("computed", "cached", "kept", "failed")}

    @property
    def pages(self) -> dict[str, dict[str, Any]]:
        """Pages of all reports by name."""
        return {page["name"]: page for report in self.json["reports"] for page in report["pages"]}


@dataclass(frozen=True)
class Command:
    """`enlarger` as a person starts it. Another `cache_dir` knows nothing of earlier runs."""

    data_dir: Path
    cache_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """The command, running, in a process group of its own."""
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-W", "error", "-m", "enlarger", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.variables(),
            start_new_session=True,
        )

    def __call__(self, *arguments: object) -> Done:
        return finish(self.start(*arguments))

    def upscale(self, *arguments: object) -> Done:
        """`upscale` with the fast card in fp32."""
        return self("upscale", *arguments, *EXACT)

    def measured(self, *arguments: object) -> Done:
        """The command, and the most memory that was resident in it."""
        process = self.start(*arguments)
        peak_bytes = 0
        while process.poll() is None:
            peak_bytes = max(peak_bytes, _peak_resident_bytes(process.pid))
            time.sleep(0.02)
        done = finish(process)
        return Done(done.code, done.out, done.err, peak_bytes)

    def variables(self) -> dict[str, str]:
        """The environment: English, offline and in UTF-8 unless said otherwise."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ENLARGER_")},
            "ENLARGER_DATA_DIR": str(self.data_dir),
            "ENLARGER_CACHE_DIR": str(self.cache_dir),
            "ENLARGER_OFFLINE": "1",
            "ENLARGER_LANGUAGE": "en",
            "PYTHONIOENCODING": "utf-8",
            **self.environment,
        }

    def renders(self) -> dict[str, int]:
        """Finished renders in the cache: file name and time of writing. The JSON comes last, so it counts."""
        facts = self.cache_dir.glob("renders/??/*.json")
        files = [file for fact in facts for file in fact.parent.glob(f"{fact.stem}.*") if file != fact]
        return {file.name: file.stat().st_mtime_ns for file in files if not file.name.startswith(".")}


def finish(process: subprocess.Popen[str]) -> Done:
    """Wait for the command; one that hangs is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=_LIMIT_S)
    finally:
        kill(process)
    return Done(process.returncode, out, err)


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the whole process group: nobody gets to tidy up."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by its POSIX path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def leftovers(*folders: Path) -> Iterable[Path]:
    """Temporary files that a finished command should not leave."""
    return [path for folder in folders for path in folder.rglob(".enlarger-*")]


def _peak_resident_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):  # not ru_maxrss, in which the parent's memory before exec counts
                return int(line.split()[1]) * 1024
    return 0
