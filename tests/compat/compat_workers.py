"""Workers for Python programs' tests: the fake runtime, slow enough to be stopped, or held at gates by width."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fake_workers import fake_enhancer, make_graph
from PIL import Image

from enlarger import UpscaleManager
from enlarger.compat.private_jobs import MakeCrew
from enlarger.enhance import Enhancer
from enlarger.jobs import Crew, WorkerSetup
from enlarger.pictures import encode
from enlarger.runtimes import FakeRuntime, Misfortune
from enlarger.settings import Settings
from pages import noise, picture

PATIENCE_S = 240.0  # the machine may be busy with other things
SLOW_TILE_S = 0.05


def png(width: int = 30, height: int = 30, seed: int = 0) -> bytes:
    return encode(picture(noise(seed, width, height)), format="png").data


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def shown(data: bytes) -> tuple[str | None, tuple[int, int], int]:
    """(format, size, frames) as Pillow sees them."""
    with Image.open(io.BytesIO(data)) as image:
        return image.format, image.size, getattr(image, "n_frames", 1)


def until(holds: Callable[[], object], what: str = "it never came") -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def settings_in(folder: Path, **changes: object) -> Settings:
    fixed = {"data_dir": folder / "data", "cache_dir": folder / "cache", "offline": True, "min_free_bytes": 0}
    return Settings(**{**fixed, **changes})  # type: ignore[arg-type]


def gated_crew(folder: Path) -> MakeCrew:
    """What becomes of a picture is said by its width: see `special_pages`. Gates and notes lie in `folder`/gates."""
    (folder / "gates").mkdir(exist_ok=True)
    options = {"graph": str(make_graph(folder)), "folder": str(folder / "gates")}
    return lambda settings: Crew(WorkerSetup(settings, "special_pages:make_enhancer", options))


def slow_crew(folder: Path) -> MakeCrew:
    """Every tile takes a while and is counted in `folder`/tiles."""
    options = {"graph": str(make_graph(folder)), "log": str(folder / "tiles")}
    return lambda settings: Crew(WorkerSetup(settings, "compat_workers:slow_enhancer", options))


def slow_enhancer(settings: Settings, *, graph: str, log: str) -> Enhancer:
    """What a worker calls."""

    def count_and_sleep(seconds: float) -> None:
        with Path(log).open("a") as file:
            file.write(".")
        time.sleep(seconds)

    runtime = FakeRuntime(misfortune=Misfortune(delay_s=SLOW_TILE_S), sleep=count_and_sleep)
    return fake_enhancer(settings, runtime, Path(graph))


def tiles_run(folder: Path) -> int:
    log = folder / "tiles"
    return log.stat().st_size if log.exists() else 0


def noted(folder: Path, what: str) -> list[str]:
    """Widths of the pictures that were "begun" or "computed", of a gated crew."""
    log = folder / "gates" / what
    return log.read_text().split() if log.exists() else []


# ---- what a manager says ----


def finished(manager: UpscaleManager, task: int) -> bytes:
    assert manager.wait_for_task(task, PATIENCE_S), manager.get_task_status(task)
    result = manager.get_task_result(task)
    assert result is not None
    return result


def begun(manager: UpscaleManager, task: int) -> bool:
    status = manager.get_task_status(task)
    assert status is not None
    return status["progress"] > 0


def idle(manager: UpscaleManager) -> bool:
    return all(state.state == "idle" for state in manager.workers())
