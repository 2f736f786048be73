"""What stands behind `sr_vulkan`'s functions: its queues, numbers and answers, over workers of this program's own."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import TypeAlias

from enlarger.compat.sr_models import NAMES, STEMS
from enlarger.compat.tasks import Tasks
from enlarger.compat.wishes import recipe_for
from enlarger.enhance import Recipe
from enlarger.errors import EnlargerError, PictureError
from enlarger.pictures import Header, format_named, is_on_its_side, read_header
from enlarger.runtimes import Device, allowed_cores, list_devices_apart
from enlarger.settings import Settings

Loaded: TypeAlias = tuple[bytes | None, str, int, float]
"""(the file or None, its format, the caller's number, seconds)."""

OpenTasks: TypeAlias = Callable[[Settings, Callable[[int], None]], Tasks]
ListDevices: TypeAlias = Callable[[Settings], Sequence[Device]]

FORMATS = ("", "jpg", "jpeg", "png", "bmp", "webp", "apng")
CPU = -1
BAD, BAD_PARAMS = -1, -2
NOT_INIT, BAD_SCALE, BAD_MODEL = "waifu2x not init", "invalid scale params", "invalid model index"
BAD_FORMAT = "invalid pictrue format"  # spelled as its programs may look for it
ALREADY_STOPPED = "waifu2x already stop"
_LABELS = {"jpeg": "jpg"}  # as sr_vulkan calls what it was not told to make
_MOST_WORKERS = 64
_POLL_S = 0.2  # so that Ctrl-C is heard on Windows too
_log = logging.getLogger("enlarger.compat.sr_vulkan")


@dataclass(frozen=True)
class Wish:
    """One picture to be. scale: 0 where `width` and `height` are given, in pixels. tile_px: 0 for as it fits."""

    data: bytes
    model: int
    back_id: int
    scale: float = 0.0
    width: int = 0
    height: int = 0
    format: str = ""
    tile_px: int = 0


@dataclass(frozen=True)
class _Added:
    back_id: int
    label: str  # the format as it was asked for


@dataclass
class _Choices:
    """What is set before the workers begin."""

    device: str = "auto"
    threads: int = 0
    workers: int = 0


@dataclass
class _Open:
    """Workers that run, and what was given to them."""

    device: str
    tasks: Tasks = field(init=False)  # told to whom they report
    added: dict[int, _Added] = field(default_factory=dict)
    ended: deque[int] = field(default_factory=deque)
    adding: int = 0  # pictures whose number is not known yet
    early: set[int] = field(default_factory=set)  # ended, and perhaps one of these


def open_tasks(settings: Settings, ended: Callable[[int], None]) -> Tasks:
    """As it is done unless a test does it otherwise."""
    return Tasks(settings, ended=ended)


class SrEngine:
    """One of sr_vulkan's life: `init`, `init_set`, then `add` and `load` from any threads, then `stop`."""

    def __init__(self, open_tasks: OpenTasks = open_tasks, list_devices: ListDevices = list_devices_apart) -> None:
        self._open_tasks = open_tasks
        self._list_devices = list_devices
        self._changed = threading.Condition(threading.RLock())  # guards all below
        self._initialised = False
        self._choices = _Choices()
        self._open: _Open | None = None
        self._webp_quality = 90
        self._last_error = ""

    # ---- setting up ----

    def init(self) -> int:
        """0, or -1 where there is no GPU: then programs ask for the CPU."""
        with self._changed:
            self._initialised = True
        return 0 if self.gpu_names() else BAD

    def init_set(self, gpu_id: int, cpu_num: int) -> int:
        """Start the workers; 0, or -1 with the reason in `last_error`."""
        with self._changed:
            if not self._initialised:
                return BAD
            if self._open is not None:
                return 0
            try:
                self._choose(gpu_id, cpu_num)
                now = _Open(self._choices.device)
                now.tasks = self._open_tasks(self._settings(), partial(self._hear, now))
                self._open = now
            except EnlargerError as error:
                return self._refuse(str(error))
        return 0

    def set_workers(self, workers: int) -> int:
        """How many pictures are computed at once; -1 unless between `init` and `init_set`."""
        with self._changed:
            if not self._initialised or self._open is not None:
                return BAD
            self._choices.workers = min(max(1, workers), _MOST_WORKERS)
        return 0

    def set_webp_quality(self, quality: int) -> int:
        """For the pictures added from now on, 1 to 100."""
        if not 1 <= quality <= 100:
            return BAD
        with self._changed:
            self._webp_quality = quality
        return 0

    @property
    def is_initialised(self) -> bool:
        """Whether `init` was called, and `stop` not since."""
        return self._initialised

    @property
    def is_open(self) -> bool:
        """Whether pictures can be added."""
        return self._open is not None

    @property
    def last_error(self) -> str:
        """What went wrong last."""
        return self._last_error

    def gpu_names(self) -> list[str]:
        """The GPUs here; their places are what `init_set` takes."""
        return [gpu.name for gpu in self._gpus()] if self._initialised else []

    def model_name(self, number: int) -> str | None:
        """Without MODEL_ and _TTA; None for a number there is not."""
        if 0 <= number < len(NAMES):
            return STEMS[number // 2]
        self._refuse(f"[SR_VULKAN] index error, index:{number // 2}, max_index:{len(STEMS)}")
        return None

    def refuse_params(self) -> int:
        """What is said to a call that cannot be understood."""
        self._refuse("invalid params")
        return BAD_PARAMS

    # ---- pictures ----

    def add(self, wish: Wish) -> int:
        """Queue a picture: a number above 0, or below with the reason in `last_error`."""
        now = self._open
        if now is None:
            return self._refuse(NOT_INIT)
        if trouble := _trouble(wish):
            return self._refuse(trouble)
        try:
            with self._adding(now):
                number = now.tasks.add(wish.data, self._recipe(wish, now), now.device)  # nobody waits for the disk
                self._note_added(now, number, _Added(wish.back_id, wish.format.lower()))
        except EnlargerError as error:
            return self._refuse(str(error))
        _log.debug("added: imageId %d as %d, %s", wish.back_id, number, NAMES[wish.model])
        return number + 1  # sr_vulkan's first is 2, and 1 would be nothing to go by

    def load(self, *, waits: bool) -> Loaded | None:
        """The next that ended, in the order in which they did; None when nothing did, or all was stopped."""
        with self._changed:
            now = self._open
            if now is None:
                self._refuse(NOT_INIT)
                return None
            while waits and not now.ended and self._open is now:
                self._changed.wait(_POLL_S)
            if self._open is not now:
                self._refuse(ALREADY_STOPPED)
                return None
            if not now.ended:
                return None
            number = now.ended.popleft()
            added = now.added.pop(number)
        return self._taken(now, number, added)

    def remove(self, back_ids: Collection[int]) -> None:
        """Stop these pictures within a tile, and forget them with their results."""
        self._drop(set(back_ids).__contains__, lambda _now, numbers: numbers)

    def remove_waiting(self, back_ids: Collection[int]) -> None:
        """Forget those of these pictures that no worker has begun."""
        self._drop(set(back_ids).__contains__, lambda now, numbers: now.tasks.waiting(numbers))

    def clear(self) -> None:
        """Stop and forget all."""
        self._drop(lambda _back_id: True, lambda _now, numbers: numbers)

    def stop(self) -> int:
        """End the workers; whoever waits in `load` gets None. `init` begins anew."""
        with self._changed:
            now, self._open = self._open, None
            self._initialised, self._choices = False, _Choices()
            self._changed.notify_all()
        if now is not None:
            now.tasks.close()
        return 0

    # ---- within ----

    def _settings(self) -> Settings:
        own = Settings()
        choices = {"threads": self._choices.threads, "workers": self._choices.workers}
        return own.model_copy(update={name: value for name, value in choices.items() if value})

    def _choose(self, gpu_id: int, cpu_num: int) -> None:
        if gpu_id == CPU:
            self._choices.device = "cpu"
            self._choices.threads = cpu_num if cpu_num > 0 else max(1, allowed_cores() // 2)
            return
        gpus = self._gpus()
        self._choices.device = gpus[gpu_id].full_name if 0 <= gpu_id < len(gpus) else "auto"

    def _gpus(self) -> list[Device]:
        """Those that are real: one that the CPU plays is slower than the CPU itself."""
        return [device for device in self._list_devices(Settings()) if device.kind == "gpu" and not device.software]

    def _recipe(self, wish: Wish, now: _Open) -> Recipe:
        header = _header(wish.data)
        output = format_named(wish.format) if wish.format else _kept(header)
        quality = self._webp_quality if output == "webp" else Recipe.quality
        size = _size(wish, header)
        return recipe_for(
            now.tasks.catalog,
            model=NAMES[wish.model],
            scale=wish.scale,
            size=size,
            tile_px=wish.tile_px,
            format=output,
            quality=quality,
            exact_size=size != (0, 0),
        )

    @contextmanager
    def _adding(self, now: _Open) -> Iterator[None]:
        with self._changed:
            now.adding += 1
        try:
            yield
        finally:
            with self._changed:
                now.adding -= 1
                if not now.adding:
                    now.early.clear()  # what is left had been removed

    def _note_added(self, now: _Open, number: int, added: _Added) -> None:
        with self._changed:
            now.added[number] = added
            if number in now.early:
                now.early.remove(number)
                self._note_end(now, number)

    def _hear(self, now: _Open, number: int) -> None:
        """From the thread of these tasks, which may end later than they do."""
        with self._changed:
            if number in now.added:
                self._note_end(now, number)
            elif now.adding:
                now.early.add(number)

    def _note_end(self, now: _Open, number: int) -> None:
        now.ended.append(number)
        self._changed.notify_all()

    def _taken(self, now: _Open, number: int, added: _Added) -> Loaded:
        status, data = now.tasks.status(number), now.tasks.result(number)
        now.tasks.remove([number])
        if status is None or data is None:
            failure = status and status.failure
            self._refuse(failure.text() if failure else ALREADY_STOPPED)
            return None, "", added.back_id, 0.0
        _log.debug("done: imageId %d in %.2f s", added.back_id, status.seconds)
        return data, added.label or _label(data, status.facts or {}), added.back_id, status.seconds

    def _drop(self, is_meant: Callable[[int], bool], choose: Callable[[_Open, list[int]], list[int]]) -> None:
        with self._changed:
            now = self._open
            if now is None:
                return
            numbers = choose(now, [number for number, added in now.added.items() if is_meant(added.back_id)])
            for number in numbers:
                del now.added[number]
            now.ended = deque(number for number in now.ended if number in now.added)
        now.tasks.remove(numbers)  # files go: not while others wait for the lock

    def _refuse(self, error: str) -> int:
        self._last_error = error
        _log.debug("%s", error)
        return BAD


def _trouble(wish: Wish) -> str:
    if wish.scale <= 0 and not (wish.width > 0 and wish.height > 0):
        return BAD_SCALE
    if not 0 <= wish.model < len(NAMES):
        return BAD_MODEL
    return "" if wish.format.lower() in FORMATS else BAD_FORMAT


def _header(data: bytes) -> Header | None:
    try:
        return read_header(data, name="")
    except PictureError:  # the worker says so, where `load` hears it
        return None


def _kept(header: Header | None) -> str:
    """What a picture becomes when nothing is asked: what it was, but for GIF, which sr_vulkan makes WebP of."""
    return "webp" if header is not None and header.format == "gif" else "same"


def _size(wish: Wish, header: Header | None) -> tuple[int, int]:
    """The output's own size where a scale does not give sr_vulkan's: it rounds up, and may make smaller.

    sr_vulkan's sides are those of the picture as stored: where it is to be seen upright, they turn with it.
    """
    across, down = wish.width, wish.height
    if wish.scale > 0:
        if header is None or (wish.scale >= 1 and wish.scale == int(wish.scale)):
            return 0, 0
        across, down = ceil(wish.scale * header.width), ceil(wish.scale * header.height)
    return (down, across) if _is_on_its_side(wish.data) else (across, down)


def _is_on_its_side(data: bytes) -> bool:
    try:
        return is_on_its_side(data, name="")
    except PictureError:  # as for its header
        return False


def _label(data: bytes, facts: Mapping[str, object]) -> str:
    found = read_header(data, name="").format
    animated = found == "png" and facts.get("frames", 1) != 1
    return "apng" if animated else _LABELS.get(found, found)
