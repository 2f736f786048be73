"""How large a tile may be: a size per network, less where this machine once ran out of memory."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

from enlarger.enhance.tiles import TilePlan
from enlarger.storage import write_atomic

DEFAULT_TILE_PX = 768 * 768  # larger tiles save little halo, cost memory and fall out of the cache


class TileLimits:
    """Limits in pixels per variant, kept in a small file so that a machine runs out of memory only once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._lowered = _read(path)

    def limit_px(self, variant: str) -> int:
        """Most pixels a tile of this variant may have, halo included."""
        return min(self._lowered.get(variant, DEFAULT_TILE_PX), DEFAULT_TILE_PX)

    def is_lowered(self, variant: str) -> bool:
        """Whether memory once ran out, so that results that depend on the tile differ from other machines'."""
        return variant in self._lowered

    def lower(self, variant: str, plan: TilePlan) -> None:
        """Half the tile that was too large; remembered."""
        with self._lock:
            self._lowered[variant] = plan.tile[0] * plan.tile[1] // 2
            write_atomic(self._path, json.dumps(self._lowered, indent=2).encode())


def _read(path: Path) -> dict[str, int]:
    with suppress(OSError, ValueError, TypeError, AttributeError):  # a broken memory is no memory
        return {str(name): int(px) for name, px in json.loads(path.read_text()).items()}
    return {}
