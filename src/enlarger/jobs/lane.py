"""The lane of pages through one worker: one is decoded ahead, one computed, one encoded behind; readers overtake.

A page of higher priority starts between two tiles of the one being computed, on the same stack; that one goes on
afterwards where it stood. So the model changes hands without a thread, and no tile is computed twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import TypeVar

import psutil

from enlarger.enhance import Enhancer, Enlarged, Prepared, Render, RenderCache, Rendering, no_memory_for, place
from enlarger.errors import CancelledError, EnlargerError, OutOfMemoryError
from enlarger.jobs import protocol
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import PageResult
from enlarger.jobs.lane_page import LanePage, Step
from enlarger.jobs.page_sources import PageSources
from enlarger.jobs.protocol import Done, Failed, FromWorker, GaveBack, GiveBackReason, Idle, OpenModel, Start, TileDone
from enlarger.jobs.turns import Turns
from enlarger.messages import msg

_ANY_DEVICE = "auto"
_MOST_URGENT = 1 << 30
_LOWEST = -_MOST_URGENT
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Lane:
    """Pages by priority through one Enhancer. `run` belongs to one thread; everything else may be called from any.

    `say` takes what is to be told the parent, from several threads. The sender bounds how many pages are in the lane.
    """

    def __init__(self, enhancer: Enhancer, cache: RenderCache, say: Callable[[FromWorker], None]) -> None:
        self._own = enhancer
        self._enhancers = {enhancer.device: enhancer}
        self._device = enhancer.device  # of pages that name none
        self._cache = cache
        self._say = say
        self._sources = PageSources(enhancer.settings)
        self._decoder = Turns("decode")
        self._encoder = Turns("encode")
        self._changed = threading.Condition()  # guards all below
        self._pages: dict[int, LanePage] = {}
        self._order = count()
        self._depth = 0  # pages on the stack of the thread that runs
        self._told_idle = False
        self._unloads = False
        self._finishing = False

    # ---- from any thread ----

    def start(self, message: Start) -> None:
        """Take a page in."""
        page = LanePage(message, next(self._order))
        with self._changed:
            self._pages[message.task] = page
            self._told_idle = False
        self._decode_in_turn(page)

    def cancel(self, task: int) -> None:
        """Stop the page at the next tile, or give it back at once where it waits."""
        self._call_back(task, "cancelled")

    def drop(self, task: int) -> None:
        """Give the page back unless it is being computed, or was."""
        self._call_back(task, "dropped")

    def prioritise(self, task: int, priority: int) -> None:
        """Let the page overtake, or be overtaken, as one of this priority."""
        with self._changed:
            page = self._pages.get(task)
            if page is None:  # it is done already
                return
            page.priority = priority
            waits = page.step is Step.WAITING
            self._changed.notify_all()
        if waits:
            self._decode_in_turn(page)

    def unload(self) -> None:
        """Close the models when no page is being computed."""
        with self._changed:
            self._unloads = True
            self._changed.notify_all()

    def use_device(self, device: str, share: int, threads: int) -> None:
        """From the next page on, those that name none are computed there; what is open elsewhere is closed.

        share: of how many equal parts of the memory there is one for all that follows. Pages that are decoded already
        keep the Enhancer they have: their keys were made with its tiles.
        """
        self._own = self._own.beside(share, threads)
        self._enhancers = {self._own.device: self._own}
        self._device = device
        self.unload()

    def refresh(self) -> None:
        """The next page to be decoded sees which models there are now."""
        self._decoder.put(_MOST_URGENT, self._refresh)

    def finish(self) -> None:
        """Give back what waits, and let `run` return when the rest is done."""
        with self._changed:
            self._finishing = True
            tasks = list(self._pages)
            self._changed.notify_all()
        for task in tasks:
            self.drop(task)

    # ---- the thread that computes ----

    def run(self) -> None:
        """Compute until `finish` was called and nothing is left in hand."""
        while self._turn():
            pass
        self._decoder.close()
        self._encoder.close()
        self._sources.close()

    def _turn(self) -> bool:
        with self._changed:
            self._changed.wait_for(self._has_turn)
            page = self._take(_LOWEST)
            unloads, self._unloads = self._unloads, False
            idle = not self._pages and not self._told_idle
            self._told_idle |= idle
            ends = self._finishing and not self._pages
        if unloads:
            self._own.close()  # all share their open sessions
        if page is not None:
            self._compute(page)
        elif idle or unloads:
            self._rest(idle=idle)
        return not ends

    def _has_turn(self) -> bool:
        rests = not self._pages and (self._finishing or not self._told_idle)
        return rests or self._unloads or self._next(_LOWEST) is not None

    def _rest(self, *, idle: bool) -> None:
        self._own.rest()
        if idle:
            self._decoder.put(_LOWEST, self._close_book)
        self._say(Idle(psutil.Process().memory_info().rss, self._open_models()))

    def _open_models(self) -> tuple[OpenModel, ...]:
        """Each once, in however many tiles it is open."""
        specs = self._own.resident()
        opened = (OpenModel(model, spec.runtime, spec.device, spec.dtype, spec.fallback) for model, spec in specs)
        return tuple(dict.fromkeys(opened))

    def _compute(self, page: LanePage) -> None:
        started = time.perf_counter() - page.away_s
        self._depth += 1
        try:
            result = self._attempt(page, partial(self._enlarge, page))
        finally:
            self._depth -= 1
        page.seconds += time.perf_counter() - started - page.away_s
        if isinstance(result, Failed | GaveBack):
            self._end_or_wait(page, result)
        else:
            self._encode_in_turn(page, result)

    def _enlarge(self, page: LanePage) -> Enlarged | Render:
        progress = partial(self._between_tiles, page)
        return page.rendering.enlarge(page.prepared, progress=progress, cancel=page.cancelled)

    def _between_tiles(self, page: LanePage, share: float) -> None:
        page.share = max(page.share, share)  # a page that is computed anew does not fall back
        self._say(TileDone(page.task, page.share))
        started = time.perf_counter()
        while (urgent := self._taken_above(page)) is not None:
            self._compute(urgent)
        page.away_s += time.perf_counter() - started

    def _taken_above(self, page: LanePage) -> LanePage | None:
        with self._changed:
            return self._take(page.priority)

    def _take(self, above: int) -> LanePage | None:
        page = self._next(above)
        if page is not None:
            page.step = Step.COMPUTING
        return page

    def _next(self, above: int) -> LanePage | None:
        """The most urgent decoded page, unless another one is just making the very same render."""
        in_work = {page.prepared.key for page in self._pages.values() if page.step.is_in_work}
        ready = [
            page
            for page in self._pages.values()
            if page.step is Step.READY
            and page.priority > above
            and page.prepared.key not in in_work
            and not (page.needs_all_memory and self._depth)
        ]
        return min(ready, key=LanePage.urgency, default=None)

    def _end_or_wait(self, page: LanePage, ending: Failed | GaveBack) -> None:
        """A page that found no memory beside the one it interrupted is tried again when that one is done."""
        if self._depth and isinstance(ending, Failed) and ending.failure.code == OutOfMemoryError.code:
            with self._changed:
                page.needs_all_memory, page.step = True, Step.READY
        else:
            self._end(page, ending)

    # ---- the thread that decodes ----

    def _decode_in_turn(self, page: LanePage) -> None:
        self._decoder.put(page.priority, partial(self._decode, page))

    def _decode(self, page: LanePage) -> None:
        with self._changed:
            is_here = self._pages.get(page.task) is page  # else it was given back while it waited
            if not (is_here and page.step is Step.WAITING):  # it is in the queue twice when its priority changed
                return
            page.step = Step.DECODING
        started = time.perf_counter()
        prepared = self._attempt(page, partial(self._prepare, page))
        page.seconds += time.perf_counter() - started
        if isinstance(prepared, Failed | GaveBack):
            self._end(page, prepared)
            return
        page.set_prepared(prepared)
        self._say(protocol.Prepared(page.task, prepared.key, prepared.render is not None))
        self._go_on(page, prepared)

    def _go_on(self, page: LanePage, prepared: Prepared) -> None:
        with self._changed:
            reason = page.called_back or ("dropped" if self._finishing else None)
            if reason is None:
                page.step = Step.READY if prepared.render is None else Step.ENCODING
                self._changed.notify_all()
        if reason is not None:
            self._end(page, GaveBack(page.task, reason))
        elif prepared.render is not None:
            self._encode_in_turn(page, prepared.render)

    def _prepare(self, page: LanePage) -> Prepared:
        start = page.start
        device = self._device if start.device == _ANY_DEVICE else start.device
        page.set_rendering(Rendering(self._enhancer(device), self._cache, start.recipe))
        return page.rendering.prepare(self._sources.page(start.source, start.name))

    def _enhancer(self, device: str) -> Enhancer:
        enhancers = self._enhancers  # replaced at any moment
        if device not in enhancers:
            enhancers[device] = self._own.on(device)
        return enhancers[device]

    def _refresh(self) -> None:
        for enhancer in self._enhancers.values():
            enhancer.refresh()

    def _close_book(self) -> None:
        with self._changed:
            if self._pages:
                return
        self._sources.close()

    # ---- the thread that encodes ----

    def _encode_in_turn(self, page: LanePage, result: Enlarged | Render) -> None:
        page.let_go_of_picture()
        with self._changed:
            page.step = Step.ENCODING
        self._encoder.put(page.priority, partial(self._encode, page, result))

    def _encode(self, page: LanePage, result: Enlarged | Render) -> None:
        started = time.perf_counter()
        computed = isinstance(result, Enlarged)
        ending = self._attempt(page, partial(self._placed, page, result))
        page.seconds += time.perf_counter() - started
        if isinstance(ending, Failed) and isinstance(result, Render) and not result.path.exists():
            self._begin_again(page)  # the cache dropped it in between
        elif isinstance(ending, Failed | GaveBack):
            self._end(page, ending)
        else:
            self._end(page, Done(page.task, _page_result(page, ending, computed=computed)))

    def _placed(self, page: LanePage, result: Enlarged | Render) -> Render:
        render = result if isinstance(result, Render) else page.rendering.store(page.prepared, result)
        place(render, page.target(render.suffix), link=True)
        return render

    def _begin_again(self, page: LanePage) -> None:
        with self._changed:
            page.step = Step.WAITING
        self._decode_in_turn(page)

    # ---- ends ----

    def _call_back(self, task: int, reason: GiveBackReason) -> None:
        with self._changed:
            page = self._pages.get(task)
            if page is None:  # it is done already
                return
            waits = page.call_back(reason)
            if waits:
                del self._pages[task]
        if waits:
            self._tell_end(GaveBack(task, reason))

    def _end(self, page: LanePage, ending: Done | Failed | GaveBack) -> None:
        with self._changed:
            if self._pages.pop(page.task, None) is None:
                return
        self._tell_end(ending)

    def _tell_end(self, ending: Done | Failed | GaveBack) -> None:
        self._say(ending)
        with self._changed:
            self._changed.notify_all()  # after it was said, so that Idle comes last

    def _attempt(self, page: LanePage, step: Callable[[], _T]) -> _T | Failed | GaveBack:
        """The step's value, or how the page ends."""
        try:
            return step()
        except CancelledError:
            return GaveBack(page.task, "cancelled")
        except EnlargerError as error:
            return Failed(page.task, Failure.of(error))
        except MemoryError:
            return Failed(page.task, Failure.of(no_memory_for(page.start.name)))
        except Exception as error:  # a codec may raise anything, and one page must not stop the others
            _LOG.exception("unforeseen: %s", page.start.name, extra={"page": page.start.name, **page.start.log})
            return Failed(page.task, _unforeseen(page.start.name, error))


def _page_result(page: LanePage, render: Render, *, computed: bool) -> PageResult:
    file = render.facts["file"]
    return PageResult(
        output=page.start.targets[render.suffix],
        input_sha256=page.prepared.sha256,
        output_sha256=file["sha256"],
        bytes=file["bytes"],
        key=render.key,
        seconds=round(page.seconds, 3),
        computed=computed,
        facts={name: fact for name, fact in render.facts.items() if name not in ("file", "key")},
    )


def _unforeseen(name: str, error: Exception) -> Failure:
    return Failure(
        "internal",
        msg("{name}: something unforeseen happened ({error}).", name=name, error=f"{type(error).__name__}: {error}"),
        msg("This is a mistake in Enlarger; please report it."),
    )
