"""Puts the sample volume on the shelf of a storage root: what `make serve` opens."""

from __future__ import annotations

import sys
from pathlib import Path

from demo.volume import write_sample

NAME = "The Enlarger 光大小.cbz"


def stand_sample(storage: Path) -> Path:
    """The volume below `incoming`, drawn where it is not there yet; whole or absent."""
    volume = storage / "incoming" / NAME
    if not volume.exists():
        half = volume.with_name(f".{volume.name}.part")
        write_sample(half)
        half.replace(volume)
    return volume


if __name__ == "__main__":
    stand_sample(Path(sys.argv[1] if len(sys.argv) > 1 else "storage"))
