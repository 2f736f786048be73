"""Where a variant's weights lie on this machine: the user's own files first, then an installed package's data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Weights:
    """Files a graph can be made from.

    kind: "ncnn" with paths (param, bin), or "pth" with paths (file,).
    verified: False for a file the user put there whose SHA-256 is not the published one.
    digest: SHA-256 hex over the files' contents: what a graph made from them is kept under.
    origin: where they were found, for people.
    """

    kind: Literal["ncnn", "pth"]
    paths: tuple[Path, ...]
    verified: bool
    digest: str
    origin: str
