"""How large a tile may be: planned from the network and the memory budget, less where memory once ran out."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path

from enlarger.errors import StorageError
from enlarger.models import Graph, Variant
from enlarger.runtimes import allowed_memory_bytes, tile_bytes
from enlarger.settings import Settings
from enlarger.storage import write_atomic

_HALOS_A_SIDE = 42  # such a tile spends less than a tenth on its halo
_SIDES_PX = (512, 1024)  # below, overhead; beyond, memory for little
_MOST_BUDGET_BYTES = 4 * 1024**3
_SAMPLE_TILE = (256, 256)


class TileLimits:
    """Limits in pixels per variant. What was lowered is kept in a small file: a machine runs out of memory once."""

    def __init__(self, settings: Settings, *, device: str = "auto", sharers: int = 1, device_bytes: int = 0) -> None:
        """`sharers`: so many plan side by side, each with its part; a budget that a person set is for each of them.

        device_bytes: what the device may use of its own memory; 0: it uses the machine's.
        """
        budget_bytes, ceiling_bytes = _shares(device_bytes, sharers)
        runtime = device.partition(":")[0]
        self.elsewhere = TileLimits(settings, sharers=sharers) if device_bytes else None
        """Those for what takes over where the device fails, and computes in the machine's memory."""
        self._of_device = f" on {device}" if device_bytes else ""
        self._path = settings.data_dir / "tile-limits.json"
        self._budget_bytes = settings.memory_budget or budget_bytes
        self._ceiling_bytes = settings.memory_budget or ceiling_bytes
        self._runtime = (
            "ncnn" if runtime in ("ncnn", "vulkan") else "openvino"
        )  # what "auto" takes unless measured otherwise
        self._lock = threading.Lock()
        self._most_in_batch: dict[str, int] = {}
        self._lowered = _read(self._path)

    def limit_px(self, graph: Graph) -> int:
        """Most pixels a tile may have, halo included.

        Where the result depends on the tile this is a constant, so that a page is the same on every machine that
        has the memory at all; elsewhere what the memory budget holds in fp32.
        """
        wanted = _wanted_px(graph.variant)
        sample = tile_bytes(graph, _SAMPLE_TILE, runtime=self._runtime)
        bytes_per_px = sample / (_SAMPLE_TILE[0] * _SAMPLE_TILE[1])
        held = (self._ceiling_bytes if depends_on_tile(graph.variant) else self._budget_bytes) / bytes_per_px
        return min(wanted, self._lowered.get(self._name(graph.variant), wanted), int(held))

    def batch(self, graph: Graph, tile: tuple[int, int], wanted: int) -> int:
        """How many tiles of this size may be computed at once: at most `wanted`, at least 1.

        Memory is taken from the batch before it is taken from the tile, which costs more when it is small.
        """
        held = int(self._budget_bytes / max(tile_bytes(graph, tile, runtime=self._runtime), 1))
        return max(1, min(wanted, held, self._most_in_batch.get(graph.variant.name, wanted)))

    def lower_batch(self, variant: Variant, batch: int) -> None:
        """Half the batch that was too large, until the program ends."""
        self._most_in_batch[variant.name] = max(1, batch // 2)

    def is_reduced(self, graph: Graph) -> bool:
        """Whether memory allows less than the network should have."""
        return self.limit_px(graph) < _wanted_px(graph.variant)

    def lower(self, variant: Variant, tile: tuple[int, int]) -> None:
        """Half the tile that was too large; remembered where the data folder can be written."""
        with self._lock, suppress(StorageError):
            self._lowered = {**_read(self._path), **self._lowered, self._name(variant): tile[0] * tile[1] // 2}
            write_atomic(self._path, json.dumps(self._lowered, indent=2).encode())

    def _name(self, variant: Variant) -> str:
        """A GPU's memory that ran out says nothing of the machine's."""
        return variant.name + self._of_device


def _shares(device_bytes: int, sharers: int) -> tuple[int, int]:
    """What tiles should take, and what they may at most. A GPU holds little else; the machine holds pages as well."""
    if device_bytes:
        return device_bytes // 2 // sharers, device_bytes * 3 // 4 // sharers
    allowed_bytes = allowed_memory_bytes()
    budget_bytes = min(allowed_bytes // 6, _MOST_BUDGET_BYTES) // sharers
    return budget_bytes, min(allowed_bytes // 2, allowed_bytes * 3 // 4 // sharers)


def depends_on_tile(variant: Variant) -> bool:
    """Whether another tile size gives another picture, by more than the bound that halos are measured for."""
    return not variant.local and not variant.shared_poolings


def _wanted_px(variant: Variant) -> int:
    shortest, longest = _SIDES_PX
    return min(max(_HALOS_A_SIDE * variant.halo, shortest), longest) ** 2


def _read(path: Path) -> dict[str, int]:
    with suppress(OSError, ValueError, TypeError, AttributeError):  # a broken memory is no memory
        return {str(name): int(px) for name, px in json.loads(path.read_text()).items()}
    return {}
