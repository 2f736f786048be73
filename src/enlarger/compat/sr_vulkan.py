"""sr_vulkan's module, for programs that were written for it: its functions, its 84 MODEL_ names, its answers.

from enlarger.compat import sr_vulkan as sr

What a function takes and gives is what sr_vulkan 2.1's takes and gives. Nothing raises for what it refuses: it returns
a number below 0, and `getLastError` has the reason. What is different all the same is in docs/python.md.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, overload

from enlarger.compat.sr_calls import understood
from enlarger.compat.sr_engine import Loaded, SrEngine
from enlarger.compat.sr_models import MODELS
from enlarger.runtimes import allowed_cores

__all__ = [
    "add",
    "clear",
    "getCpuCoreNum",
    "getGpuCoreNum",
    "getGpuInfo",
    "getLastError",
    "getModelName",
    "getVersion",
    "init",
    "initSet",
    "load",
    "remove",
    "removeWaitProc",
    "setDebug",
    "setModelPath",
    "setRealcuganSyncgap",
    "setThreadNum",
    "setWebpQuality",
    "stop",
]
__all__ += list(MODELS)

_VERSION = "2.1.0"  # the one whose calls these are: programs show it, and some look at it
_SYNC_GAPS = range(1, 4)

globals().update(MODELS)
if TYPE_CHECKING:

    def __getattr__(name: str) -> int: ...  # the 84 names


_engine = SrEngine()
_debug = logging.StreamHandler(sys.stdout)
_debug.setFormatter(logging.Formatter("[SR_VULKAN] %(message)s"))


# ---- setting up ----


def init() -> int:
    """0; below 0 where there is no GPU, after which `initSet(-1)` takes the CPU."""
    return _engine.init()


def initSet(gpuId: int, cpuNum: int = 0, noDefaultPath: int = 0) -> int:
    """Start the workers: 0, or below 0. gpuId: a place in `getGpuInfo()`, or -1 for the CPU. cpuNum: its threads."""
    del noDefaultPath  # weights are found as everywhere in Enlarger
    return _engine.init_set(gpuId, cpuNum)


def setThreadNum(decodeNum: int, procNum: int, encodeNum: int) -> int:
    """procNum: pictures computed at once. Between `init` and `initSet`; else below 0."""
    del decodeNum, encodeNum  # each worker decodes ahead and encodes behind
    return _engine.set_workers(procNum)


def setModelPath(path: str = "") -> int:
    """0. Weights come from their packages or Enlarger's own folders, each file checked."""
    del path
    return 0


def setWebpQuality(quality: int) -> int:
    """1 to 100 for WebP from now on: 0, or below 0."""
    return _engine.set_webp_quality(quality)


def setRealcuganSyncgap(syncgap: int) -> int:
    """1 to 3: 0, or below 0. Real-CUGAN's tiles always share their averages in full, which is gap 1."""
    return 0 if syncgap in _SYNC_GAPS else -1


def setDebug(debug: bool) -> int:
    """Tell on stdout what is done."""
    log = logging.getLogger(__name__)
    log.removeHandler(_debug)
    if debug:
        log.addHandler(_debug)
    log.setLevel(logging.DEBUG if debug else logging.NOTSET)
    return 0


# ---- what there is ----


def getVersion() -> str:
    """Of sr_vulkan, whose calls these are."""
    return _VERSION


def getLastError() -> str:
    """What went wrong last; "" where nothing did."""
    return _engine.last_error


def getGpuInfo() -> list[str] | None:
    """Names of the GPUs; None before `init` and where there is none."""
    return _engine.gpu_names() or None


def getGpuCoreNum(gpuId: int = 0) -> int:
    """1 for a GPU that is there: Enlarger computes one picture at a time on it."""
    return int(0 <= gpuId < len(_engine.gpu_names()))


def getCpuCoreNum() -> int:
    """Cores this program may use; 0 before `init`."""
    return allowed_cores() if _engine.is_initialised else 0


def getModelName(modelIndex: int) -> str | None:
    """A model's name without MODEL_ and _TTA; None for a number there is not."""
    return _engine.model_name(modelIndex)


# ---- pictures ----


@overload
def add(data: bytes, modelIndex: int, backId: int, scale: float, format: str = "", tileSize: int = 0) -> int: ...
@overload
def add(
    data: bytes, modelIndex: int, backId: int, width: int, height: int, format: str = "", tileSize: int = 0
) -> int: ...
def add(*args: Any, **named: Any) -> int:
    """Queue a picture: a number above 0, or below 0.

    data: the bytes of a file. backId: the caller's number, which `load` gives back. scale, or width and height in
    pixels: the output's size. format: "" for the picture's own, else jpg, jpeg, png, bmp, webp, apng. tileSize: in
    pixels, 0 for as large as memory allows.
    """
    wish = understood(args, named)
    return _engine.refuse_params() if wish is None else _engine.add(wish)


def load(block: int = 0) -> Loaded | None:
    """The next picture that ended: (its file, format, backId, seconds); the file is None where it failed.

    block: 0 to wait for one, else None when there is none. None also once all was stopped.
    """
    return _engine.load(waits=block == 0)


def remove(backIds: Collection[int]) -> int | None:
    """Stop these pictures within a tile, and forget them with their results."""
    _engine.remove(backIds)
    return _told(backIds)


def removeWaitProc(backIds: Collection[int]) -> int | None:
    """Forget those of these pictures that are not begun."""
    _engine.remove_waiting(backIds)
    return _told(backIds)


def clear() -> int:
    """Stop and forget all pictures."""
    _engine.clear()
    return 0


def stop() -> int:
    """End the workers; whoever waits in `load` gets None. `init` begins anew."""
    return _engine.stop()


def _told(back_ids: Collection[int]) -> int | None:
    return 0 if back_ids and _engine.is_open else None
