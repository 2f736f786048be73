"""`UpscaleManager`: pictures through workers of this program's own, by number, with a timeout that stops the work."""

from __future__ import annotations

import threading
from collections.abc import Collection
from importlib.util import find_spec
from typing import Self, TypedDict

from enlarger.compat.tasks import State, Tasks, TaskStatus
from enlarger.compat.wishes import recipe_for
from enlarger.errors import EnlargerError, InputError, UnknownModelError
from enlarger.jobs import Failure, WorkerState
from enlarger.messages import msg
from enlarger.models import SEED_IDS, Card, Catalog, Choice, load_catalog
from enlarger.settings import Settings

DEFAULT_TIMEOUT_S = 60.0
_RUNTIMES = ("openvino", "ncnn")


class Status(TypedDict):
    """What `get_task_status` gives. error: sentence and remedy. tick: seconds of work. progress: 0..1, by tile."""

    task_id: int
    status: State
    error: str | None
    tick: float
    progress: float


class UpscaleManager:
    """The one of this process: calling it again gives the same. Thread-safe.

    Workers start with the first task, ENLARGER_WORKERS of them, and end with `cleanup` or the program. settings:
    instead of the environment's; raises InputError where it already has others.
    """

    _instance: Self | None = None
    _making = threading.Lock()
    _settings: Settings | None
    _tasks: Tasks | None
    _lock: threading.RLock

    def __new__(cls, settings: Settings | None = None) -> Self:
        with cls._making:
            if cls._instance is None:
                made = super().__new__(cls)
                made._settings, made._tasks, made._lock = settings, None, threading.RLock()
                cls._instance = made
        cls._instance._use(settings)
        return cls._instance

    def add_task(
        self,
        image_data: bytes,
        model: int | str = 0,
        scale: float = 2,
        width: int = 0,
        height: int = 0,
        format_str: str = "",
        tile_size: int = 0,
        noise_level: int = 0,
    ) -> int:
        """Queue a picture, the bytes of a file; its number. Raises UnknownModelError, RecipeError, StorageError.

        model: 0 to 6, the name of a model or of its folder, or a MODEL_ name. width, height: the box in pixels to fit
        in, instead of the scale. format_str: "" is WebP; "same" keeps the picture's own. tile_size: in pixels, 0 for as
        large as memory allows. noise_level: -1 to 3, as far as the model has it; see decision 9.
        """
        with self._lock:
            settings = self.settings
            recipe = recipe_for(
                load_catalog(settings),
                model=model,
                scale=scale,
                size=(width, height),
                noise=noise_level,
                tile_px=tile_size,
                format=format_str or "webp",
                quality=settings.result_quality,
                lossless=settings.result_lossless,
            )
            tasks = self._running()
        return tasks.add(image_data, recipe)

    def get_task_status(self, task_id: int) -> Status | None:
        """How the task is; None when there is no such task. `failed` has an `error` that names what to do."""
        found = self._status(task_id)
        if found is None:
            return None
        error = None if found.failure is None else found.failure.text()
        return Status(
            task_id=task_id, status=found.state, error=error, tick=round(found.seconds, 3), progress=found.share
        )

    def get_task_result(self, task_id: int) -> bytes | None:
        """The finished file, as often as it is asked for until the task is removed; None while there is none."""
        tasks = self._tasks
        return None if tasks is None else tasks.result(task_id)

    def wait_for_task(self, task_id: int, timeout: float = DEFAULT_TIMEOUT_S) -> bool:
        """Whether the task was completed within `timeout` seconds. When they are over, its work is stopped between two
        tiles and it has failed; its error says so. With 0 it is only looked at.
        """
        tasks = self._tasks
        return tasks is not None and tasks.wait(task_id, timeout)

    def remove_task(self, task_id: int) -> None:
        """Stop the task between two tiles if it is not finished, and forget it with its result."""
        self.cancel_tasks([task_id])

    def cancel_tasks(self, task_ids: Collection[int]) -> None:
        """The same for several."""
        tasks = self._tasks
        if tasks is not None:
            tasks.remove(task_ids)

    def cleanup(self) -> None:
        """End the workers, stop and forget all tasks. The next task starts anew."""
        with self._lock:
            tasks, self._tasks = self._tasks, None
            self._settings = None
        if tasks is not None:
            tasks.close()

    @property
    def settings(self) -> Settings:
        """What the workers run under, or will."""
        with self._lock:
            if self._settings is None:
                self._settings = Settings()
            return self._settings

    def workers(self) -> list[WorkerState]:
        """The worker processes, what each has in hand, and which models it keeps open."""
        tasks = self._tasks
        return [] if tasks is None else tasks.workers()

    def failure(self, task_id: int) -> Failure | None:
        """Why the task failed or does not begin, with its code and both languages; None where neither is so."""
        found = self._status(task_id)
        return None if found is None else found.failure

    # ---- the workers: another thread may end them at any moment, so they are looked up once in each call ----

    def _status(self, task_id: int) -> TaskStatus | None:
        tasks = self._tasks
        return None if tasks is None else tasks.status(task_id)

    def _use(self, settings: Settings | None) -> None:
        with self._lock:
            if settings is None or settings == self._settings:
                return
            if self._tasks is not None:
                raise InputError(
                    msg("The workers of this program run with other settings already."),
                    msg("Call cleanup() first, or give the settings where UpscaleManager is first called."),
                )
            self._settings = settings

    def _running(self) -> Tasks:
        if self._tasks is None:
            self._tasks = self._open(self.settings)
        return self._tasks

    def _open(self, settings: Settings) -> Tasks:
        return Tasks(settings)


def is_available() -> bool:
    """Whether anything is here that could run a model."""
    return any(find_spec(runtime) is not None for runtime in _RUNTIMES)


def upscale_image(
    image_data: bytes,
    model: int | str = 0,
    scale: float = 2,
    tile_size: int = 0,
    noise_level: int = 0,
    timeout: float = DEFAULT_TIMEOUT_S,
    *,
    width: int = 0,
    height: int = 0,
    format_str: str = "",
) -> bytes:
    """One picture through the workers, awaited; options as for `UpscaleManager.add_task`.

    Raises EnlargerError: TimedOutError when the time is up and the work was stopped, or what the task failed with.
    """
    manager = UpscaleManager()
    task_id = manager.add_task(image_data, model, scale, width, height, format_str, tile_size, noise_level)
    try:
        manager.wait_for_task(task_id, timeout)
        result = manager.get_task_result(task_id)
        if result is None:
            raise _error(manager.failure(task_id))
        return result
    finally:
        manager.remove_task(task_id)


def upscale_image_async(
    image_data: bytes,
    model: int | str = 0,
    scale: float = 2,
    tile_size: int = 0,
    noise_level: int = 0,
    *,
    width: int = 0,
    height: int = 0,
    format_str: str = "",
) -> int:
    """Queue a picture and go on; the number that `UpscaleManager` knows it by."""
    return UpscaleManager().add_task(image_data, model, scale, width, height, format_str, tile_size, noise_level)


def get_model_id(name: int | str) -> int:
    """The number, 0 to 6, of a model by any of its names.

    Raises UnknownModelError, also for models that never had a number: these are known by their names alone.
    """
    catalog = load_catalog(UpscaleManager().settings)
    wanted = _card(catalog, name)
    for number, seed in enumerate(SEED_IDS):
        if _card(catalog, seed) == wanted:
            return number
    raise UnknownModelError(
        msg("“{name}” has no number.", name=name), msg("Give its name instead: it is taken wherever a number is.")
    )


def get_available_models() -> list[str]:
    """Names that `model` takes: those of the numbers 0 to 6 in their order, then all others'."""
    catalog = load_catalog(UpscaleManager().settings)
    numbered = {_card(catalog, seed).name for seed in SEED_IDS}
    return [*SEED_IDS, *(card.name for card in catalog.cards if card.name not in numbered)]


def _card(catalog: Catalog, name: int | str) -> Card:
    found = catalog.find(name)
    return found.card if isinstance(found, Choice) else found


def _error(failure: Failure | None) -> EnlargerError:
    if failure is None:  # removed by somebody else while it was waited for
        failure = Failure("cancelled", msg("Stopped on request."))
    return failure.as_error()
