"""The road of pages: decode ahead, infer one, encode behind, so that the model never waits.

Pages come out in the order they went in, each with its render or its error; one bad page stops nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from enlarger import cancel as cancelling
from enlarger.cancel import CancelToken
from enlarger.enhance.cache import Render
from enlarger.enhance.enhancer import Enlarged
from enlarger.enhance.rendering import Prepared, Rendering, Source, no_memory_for
from enlarger.errors import EnlargerError, InputError, RuntimeFailedError

_WINDOW_PX = 100_000_000  # output pixels being encoded or waiting for it; a page beyond this travels alone
_MOST_BEHIND = 2
_T = TypeVar("_T")

PageProgress = Callable[[str, float], None]
"""Called with a page's name and the share of it done, 0..1."""


@dataclass(frozen=True)
class PageResult:
    """What became of a page: its render, or the error it failed with. `computed` is False for a cache hit."""

    name: str
    render: Render | None = None
    error: EnlargerError | None = None
    computed: bool = False


@dataclass(frozen=True)
class _Behind:
    """A page on its way out, and the output pixels it still holds in memory."""

    result: Future[PageResult]
    output_px: int = 0


class Road:
    """Sends pages through a Rendering. Threads live only while `run` does."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def run(
        self, sources: Iterable[Source], *, progress: PageProgress | None = None, cancel: CancelToken | None = None
    ) -> Iterator[PageResult]:
        """A result for every source, in order, each stored before it is yielded.

        Errors of one page are in its result. StorageError, ModelError and CancelledError end the road, after
        what was computed is stored.
        """
        with ThreadPoolExecutor(1, "decode") as decoder, ThreadPoolExecutor(1, "encode") as encoder:
            behind: deque[_Behind] = deque()
            for page in self._ahead(decoder, sources, cancel):
                yield from _let_out(behind, _output_px(page))
                behind.append(self._through(page, encoder, progress, cancel))
                del page  # its picture would stay in memory until the next one is there
            while behind:
                yield behind.popleft().result.result()

    def _ahead(
        self, decoder: ThreadPoolExecutor, sources: Iterable[Source], cancel: CancelToken | None
    ) -> Iterator[Prepared | PageResult]:
        following: Future[Prepared | PageResult] | None = None
        for source in sources:
            cancelling.check(cancel)
            current, following = following, decoder.submit(self._prepare, source)
            if current is not None:
                yield current.result()
        if following is not None:
            cancelling.check(cancel)
            yield following.result()

    def _prepare(self, source: Source) -> Prepared | PageResult:
        return _attempt(source.name, lambda: self._rendering.prepare(source))

    def _through(
        self,
        page: Prepared | PageResult,
        encoder: ThreadPoolExecutor,
        progress: PageProgress | None,
        cancel: CancelToken | None,
    ) -> _Behind:
        if isinstance(page, PageResult):
            return _finished(page)
        name = page.name
        listener = None if progress is None else partial(progress, name)
        result = _attempt(name, lambda: self._rendering.enlarge(page, progress=listener, cancel=cancel))
        if isinstance(result, PageResult):
            return _finished(result)
        if isinstance(result, Render):
            return _finished(PageResult(name, result))
        return _Behind(encoder.submit(self._store, page.without_picture(), result), page.output_px)

    def _store(self, page: Prepared, enlarged: Enlarged) -> PageResult:
        stored = _attempt(page.name, lambda: self._rendering.store(page, enlarged))
        return stored if isinstance(stored, PageResult) else PageResult(page.name, stored, computed=True)


def _let_out(behind: deque[_Behind], coming_px: int) -> Iterator[PageResult]:
    """What is finished, and what must be before `coming_px` more may be held."""
    while behind and (
        behind[0].result.done()
        or len(behind) >= _MOST_BEHIND
        or sum(page.output_px for page in behind) + coming_px > _WINDOW_PX
    ):
        yield behind.popleft().result.result()


def _attempt(name: str, step: Callable[[], _T]) -> _T | PageResult:
    """The step's value, or the page's result when the fault is the page's own."""
    try:
        return step()
    except (InputError, RuntimeFailedError) as error:
        return PageResult(name, error=error)
    except MemoryError:
        return PageResult(name, error=no_memory_for(name))


def _finished(result: PageResult) -> _Behind:
    future: Future[PageResult] = Future()
    future.set_result(result)
    return _Behind(future)


def _output_px(page: Prepared | PageResult) -> int:
    return page.output_px if isinstance(page, Prepared) else 0
