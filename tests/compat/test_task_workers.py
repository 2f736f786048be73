"""The workers behind UpscaleManager: work that really stops, processes that die, how many, and how they end."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from compat_workers import PATIENCE_S, begun, finished, idle, noted, pixels, png, shown, slow_crew, tiles_run, until
from special_pages import DEADLY_PX, GATED_PX

import enlarger
from conftest import Managing
from enlarger import UpscaleManager
from enlarger.errors import InputError

LARGE_PX = 600  # 225 of the smallest tiles: many times what it takes to be stopped
FEW_TILES = 150
SMALL_TILES = {"tile_size": 32}


# ---- work that is not wanted any more ----


def test_a_timeout_stops_the_work_itself(managing: Managing, tmp_path: Path) -> None:
    manager = managing(slow_crew(tmp_path))
    task = manager.add_task(png(LARGE_PX, LARGE_PX), **SMALL_TILES)
    until(lambda: begun(manager, task))
    (worker,) = manager.workers()
    assert not manager.wait_for_task(task, 0.001)
    status = manager.get_task_status(task)
    assert status is not None
    assert status["status"] == "failed"
    assert "timeout" in str(status["error"])
    assert "smaller tile_size" in str(status["error"])
    until(lambda: idle(manager))
    stopped_at = tiles_run(tmp_path)
    assert stopped_at < FEW_TILES
    finished(manager, manager.add_task(png()))
    assert tiles_run(tmp_path) == stopped_at + 1  # nothing of it was computed since
    assert [state.pid for state in manager.workers()] == [worker.pid]  # the models stayed open
    assert manager.get_task_result(task) is None


def test_removing_a_running_task_stops_its_work(managing: Managing, tmp_path: Path) -> None:
    manager = managing(slow_crew(tmp_path))
    task = manager.add_task(png(LARGE_PX, LARGE_PX), **SMALL_TILES)
    until(lambda: begun(manager, task))
    manager.remove_task(task)
    assert manager.get_task_status(task) is None
    until(lambda: idle(manager))
    assert tiles_run(tmp_path) < FEW_TILES


def test_progress_goes_by_tiles_and_never_back(managing: Managing, tmp_path: Path) -> None:
    manager = managing(slow_crew(tmp_path))
    task = manager.add_task(png(200, 200), **SMALL_TILES)
    seen = []
    while not manager.wait_for_task(task, 0):
        status = manager.get_task_status(task)
        assert status is not None
        assert status["status"] in ("pending", "processing", "completed")
        seen.append((status["progress"], status["tick"]))
        time.sleep(0.01)
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert len({share for share in shares if 0 < share < 1}) >= 3
    assert max(tick for _, tick in seen) > 0


def test_a_task_that_cannot_begin_says_why_and_a_timeout_says_that_it_had_not(managing: Managing) -> None:
    manager = managing(min_free_bytes=10**18)
    task = manager.add_task(png())
    until(lambda: (manager.get_task_status(task) or {}).get("error"))
    status = manager.get_task_status(task)
    assert status is not None
    assert (status["status"], status["tick"]) == ("pending", 0)
    assert "disk" in str(status["error"])
    assert not manager.wait_for_task(task, 0.001)
    status = manager.get_task_status(task)
    assert status is not None
    assert "had not begun" in str(status["error"])
    assert status["status"] == "failed"


# ---- deaths ----


@pytest.mark.slow
def test_a_killed_worker_costs_no_task(managing: Managing, tmp_path: Path) -> None:
    manager = managing()
    held = manager.add_task(png(GATED_PX))
    other = manager.add_task(png())
    until(lambda: begun(manager, held))
    (worker,) = manager.workers()
    psutil.Process(worker.pid).kill()
    (tmp_path / "gates" / str(GATED_PX)).touch()
    finished(manager, held)
    finished(manager, other)
    assert worker.pid not in [state.pid for state in manager.workers()]


@pytest.mark.slow
def test_a_picture_that_kills_its_worker_fails_alone(managing: Managing) -> None:
    manager = managing()
    deadly, other = manager.add_task(png(DEADLY_PX)), manager.add_task(png())
    finished(manager, other)
    assert not manager.wait_for_task(deadly, PATIENCE_S)
    status = manager.get_task_status(deadly)
    assert status is not None
    assert "timeout" not in str(status["error"])
    assert status["status"] == "failed"


# ---- how many, and whose ----


@pytest.mark.slow
def test_eight_workers_work_at_once(managing: Managing, tmp_path: Path) -> None:
    manager = managing(workers=8)
    tasks = [manager.add_task(png(GATED_PX, seed=seed)) for seed in range(16)]  # a worker takes two at most
    until(lambda: len(noted(tmp_path, "begun")) == 8)
    assert all(state.tasks for state in manager.workers())
    (tmp_path / "gates" / str(GATED_PX)).touch()
    results = {finished(manager, task) for task in tasks}
    assert len(results) == 16


@pytest.mark.slow
def test_threads_share_the_manager(managing: Managing) -> None:
    managing(workers=2)
    sources = [png(20 + n, 20, seed=n) for n in range(8)]
    results: dict[int, bytes] = {}

    def enlarge(n: int) -> None:
        results[n] = enlarger.upscale_image(sources[n], timeout=PATIENCE_S)

    threads = [threading.Thread(target=enlarge, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [shown(results[n])[1] for n in range(8)] == [(2 * (20 + n), 40) for n in range(8)]


@pytest.mark.slow
def test_quality_and_losslessness_are_settings(managing: Managing) -> None:
    source = png(40, 30)
    manager = managing(result_lossless=True)
    lossless = finished(manager, manager.add_task(source, noise_level=-1))
    assert np.array_equal(pixels(lossless), pixels(source).repeat(2, 0).repeat(2, 1))
    manager.cleanup()
    manager = managing(result_quality=10)
    low = finished(manager, manager.add_task(source, noise_level=-1))
    assert len(low) < len(lossless) / 2


def test_there_is_one_manager_and_it_has_one_set_of_settings(managing: Managing) -> None:
    manager = managing()
    assert UpscaleManager() is manager
    assert manager.workers() == []  # none before the first task
    manager.add_task(png())
    assert UpscaleManager(manager.settings) is manager
    other = manager.settings.model_copy(update={"result_quality": 5})
    with pytest.raises(InputError):
        UpscaleManager(other)
    manager.cleanup()
    assert UpscaleManager(other).settings == other


def test_cleaning_up_leaves_nothing_and_can_be_followed_by_more(managing: Managing, tmp_path: Path) -> None:
    manager = managing()
    task = manager.add_task(png(GATED_PX))
    until(lambda: begun(manager, task))
    pids = [state.pid for state in manager.workers()]
    manager.cleanup()
    manager.cleanup()
    assert not any(map(psutil.pid_exists, pids))
    assert [path.name for path in (tmp_path / "cache" / "tasks").iterdir()] == [".roots.lock"]
    assert manager.get_task_status(task) is None
    assert not manager.wait_for_task(task, PATIENCE_S)
    again = managing()
    assert finished(again, again.add_task(png()))
