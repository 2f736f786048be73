"""UpscaleManager: tasks by number, and what is asked for is what comes. One worker serves all tests of this file."""

from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from compat_workers import PATIENCE_S, begun, finished, idle, noted, png, shown, until
from special_pages import GATED_PX, NO_WEIGHTS_PX, UNFORESEEN_PX

import enlarger
from enlarger import UpscaleManager
from enlarger.errors import PictureError, RecipeError, TimedOutError, UnknownModelError
from loud_skips import missing

# ---- what comes out ----


def test_a_task_gives_webp_twice_as_large_and_keeps_it_until_it_is_removed(manager: UpscaleManager) -> None:
    task = manager.add_task(png(40, 30))
    assert shown(finished(manager, task)) == ("WEBP", (80, 60), 1)
    status = manager.get_task_status(task)
    assert status is not None
    assert status["tick"] > 0
    assert {**status, "tick": 0} == {"task_id": task, "status": "completed", "error": None, "tick": 0, "progress": 1.0}
    assert manager.get_task_result(task) == manager.get_task_result(task)
    manager.remove_task(task)
    assert manager.get_task_status(task) is None
    assert manager.get_task_result(task) is None
    assert not manager.wait_for_task(task)


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({"format_str": "png"}, ("PNG", (60, 60), 1)),
        ({"format_str": "jpg", "scale": 3}, ("JPEG", (90, 90), 1)),
        ({"format_str": "same", "width": 45}, ("PNG", (45, 45), 1)),
        ({"width": 100, "height": 70}, ("WEBP", (70, 70), 1)),
        ({"model": "MODEL_REALESRGAN_X4PLUSANIME_UP4X"}, ("WEBP", (60, 60), 1)),
        ({"model": "realcugan-se", "noise_level": -1}, ("WEBP", (60, 60), 1)),
        ({"model": 4, "noise_level": -1, "tile_size": 5}, ("WEBP", (60, 60), 1)),
    ],
)
def test_what_is_asked_for_is_what_comes(manager: UpscaleManager, asked: dict, shape: tuple) -> None:
    assert shown(finished(manager, manager.add_task(png(), **asked))) == shape


def test_models_stay_open_beside_each_other(manager: UpscaleManager) -> None:
    for model in ("cunet", "upconv_7_photo"):
        finished(manager, manager.add_task(png(44, 40), model=model, noise_level=-1))
    both = {"MODEL_WAIFU2X_CUNET_UP2X", "MODEL_WAIFU2X_PHOTO_UP2X"}
    until(lambda: both <= models_open(manager), "a worker says what it has open a moment after its last page")


def models_open(manager: UpscaleManager) -> set[str]:
    (worker,) = manager.workers()
    return {each.model for each in worker.models}


# ---- what cannot be ----


def test_an_unknown_model_is_answered_with_the_nearest_at_once(manager: UpscaleManager) -> None:
    with pytest.raises(UnknownModelError, match="cunet"):
        manager.add_task(png(), model="cunett")
    with pytest.raises(RecipeError):
        manager.add_task(png(), scale=99)


@pytest.mark.parametrize("bad", [b"", b"nonsense" * 100, png(60, 60)[:1000]], ids=["empty", "nonsense", "cut off"])
def test_a_bad_picture_fails_with_a_remedy_and_stops_nobody(manager: UpscaleManager, bad: bytes) -> None:
    broken, sound = manager.add_task(bad), manager.add_task(png())
    assert not manager.wait_for_task(broken, PATIENCE_S)
    status = manager.get_task_status(broken)
    failure = manager.failure(broken)
    assert status is not None
    assert failure is not None
    assert failure.remedy is not None
    assert (status["status"], failure.code) == ("failed", PictureError.code)
    assert f"task-{broken}" in str(status["error"])
    finished(manager, sound)


@pytest.mark.parametrize(("width", "code"), [(NO_WEIGHTS_PX, "weights_missing"), (UNFORESEEN_PX, "internal")])
def test_whatever_fails_is_told(manager: UpscaleManager, width: int, code: str) -> None:
    task = manager.add_task(png(width, 20))
    assert not manager.wait_for_task(task, PATIENCE_S)
    assert manager.failure(task).code == code  # type: ignore[union-attr]
    finished(manager, manager.add_task(png()))


# ---- what is not wanted any more ----


def test_looking_with_no_patience_stops_nothing(manager: UpscaleManager, folder: Path) -> None:
    task = manager.add_task(png(GATED_PX))
    assert not manager.wait_for_task(task, 0)
    (folder / "gates" / str(GATED_PX)).touch()
    finished(manager, task)


def test_a_timeout_says_so_in_chinese(manager: UpscaleManager) -> None:
    task = manager.add_task(png(GATED_PX + 1))
    assert not manager.wait_for_task(task, 0.001)
    failure = manager.failure(task)
    assert failure is not None
    if failure.message.text("zh") == failure.message.text("en"):
        missing("the Chinese for a timeout")
    assert "超时" in failure.text("zh")


def test_cancelling_many_leaves_the_others(manager: UpscaleManager, folder: Path) -> None:
    held = manager.add_task(png(GATED_PX + 2))
    queued = [manager.add_task(png(seed=seed)) for seed in range(20)]
    manager.cancel_tasks([held, *queued[:10], 12345])
    for task in queued[10:]:
        finished(manager, task)
    assert [manager.get_task_status(task) for task in [held, *queued[:10]]] == [None] * 11
    assert str(GATED_PX + 2) not in noted(folder, "computed")


def test_whoever_waits_hears_of_a_removal(manager: UpscaleManager) -> None:
    task = manager.add_task(png(GATED_PX + 3))
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(manager.wait_for_task(task, PATIENCE_S)))
    waiting.start()
    until(lambda: begun(manager, task))
    manager.remove_task(task)
    waiting.join(PATIENCE_S)
    assert heard == [False]


def test_a_long_queue_holds_no_pictures_in_memory(manager: UpscaleManager) -> None:
    finished(manager, manager.add_task(png()))
    held = manager.add_task(png(GATED_PX + 4))
    until(lambda: begun(manager, held))
    tracemalloc.start()
    try:
        queued = [manager.add_task(os.urandom(500_000)) for _ in range(40)]
        held_bytes, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    manager.cancel_tasks([held, *queued])
    assert held_bytes < 5_000_000
    assert most_bytes < 10_000_000


@pytest.mark.slow
def test_a_thousand_tasks_wait_and_are_taken_back(manager: UpscaleManager, folder: Path) -> None:
    tasks = [manager.add_task(png(GATED_PX + 5, seed=seed % 7)) for seed in range(1000)]
    manager.cancel_tasks(tasks[:-1])
    (folder / "gates" / str(GATED_PX + 5)).touch()
    finished(manager, tasks[-1])


# ---- the functions ----


def test_one_picture_awaited(manager: UpscaleManager) -> None:
    assert shown(enlarger.upscale_image(png(), "cunet", 2, 0, 1, PATIENCE_S)) == ("WEBP", (60, 60), 1)
    assert manager._tasks is not None
    before = set(manager._tasks._tasks)
    with pytest.raises(PictureError, match="task-"):
        enlarger.upscale_image(b"nonsense", timeout=PATIENCE_S)
    with pytest.raises(TimedOutError, match="timeout"):
        enlarger.upscale_image(png(GATED_PX + 6), timeout=0.001)
    until(lambda: idle(manager))
    assert set(manager._tasks._tasks) == before  # nothing is kept of what was awaited


def test_one_picture_not_awaited(manager: UpscaleManager) -> None:
    task = enlarger.upscale_image_async(png(), scale=3)
    assert shown(finished(manager, task))[1] == (90, 90)


def test_models_by_number_and_name(manager: UpscaleManager) -> None:
    names = enlarger.get_available_models()
    assert names[:7] == [
        "cunet",
        "photo",
        "anime_style_art_rgb",
        "upconv_7_anime_style_art_rgb",
        "upconv_7_photo",
        "upresnet10",
        "swin_unet_art_scan",
    ]
    assert "realesrgan-x4plus" in names
    assert len(set(names)) == len(names)
    assert [enlarger.get_model_id(name) for name in names[:7]] == list(range(7))
    assert enlarger.get_model_id("5") == 5
    assert enlarger.get_model_id("MODEL_WAIFU2X_CUNET_UP2X") == 0
    for name in ("realesrgan-x4plus", "cunett"):
        with pytest.raises(UnknownModelError):
            enlarger.get_model_id(name)
    assert enlarger.is_available()
