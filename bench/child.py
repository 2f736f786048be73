"""A worker process that answers one line at a time, and how much memory it took at most."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from bench.alternate import PeerError
from bench.memory import peak_bytes

_ROOT = Path(__file__).parent.parent


class Child:
    """`python -m <module> <arguments>`: told a line on its stdin, answers with a line on its stdout."""

    def __init__(
        self, module: str, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=_ROOT,  # where `bench` is found
            env={**os.environ, **(environment or {})},
        )

    def ask(self, line: str) -> str:
        """Its answer; raises PeerError when it died instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(line, file=self._process.stdin, flush=True)
        except OSError as error:
            raise PeerError(f"died with exit code {self._process.wait()}") from error
        answer = self._process.stdout.readline()
        if not answer:
            raise PeerError(f"died with exit code {self._process.wait()}")
        return answer.rstrip("\n")

    def peak_bytes(self) -> int:
        """The most memory it has held so far."""
        return peak_bytes(self._process.pid)

    def close(self) -> None:
        """End it; it has no more to say once its stdin is closed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
