"""What moves on stderr while work is done: bars for a person, a line now and then for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from enlarger.cli.amounts import format_span
from enlarger.cli.output import is_watched, say, screen
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from enlarger.cli.pace import Pace

Advance = Callable[[float, float], None]
"""Called with what is done and the whole."""

_TITLE_CELLS = 32


class Display:
    """One command's share of the screen. At most one bar moves at a time; lines go above it."""

    def __init__(self) -> None:
        self.console = screen()
        self._moving = False

    def say(self, sentence: Message | str) -> None:
        """A line above whatever moves."""
        say(sentence, to=self.console)

    @contextmanager
    def pages(self) -> Iterator[PagesBar | None]:
        """A bar for the pages of books, one book after the other; None when nobody watches."""
        if not is_watched():
            yield None
            return
        with self._bar(*_page_columns()) as progress:
            yield PagesBar(progress)

    @property
    def moves(self) -> bool:
        """Whether a bar moves just now."""
        return self._moving

    @contextmanager
    def job(self, title: str) -> Iterator[JobBar | None]:
        """A bar for a job of a server; None when nobody watches."""
        from rich.progress import BarColumn, SpinnerColumn

        if not is_watched():
            yield None
            return
        columns = SpinnerColumn("line"), _text("title"), BarColumn(bar_width=24), *map(_text, ("pages", "left", "page"))
        with self._bar(*columns) as progress:
            yield JobBar(progress, title)

    @contextmanager
    def download(self, title: Message) -> Iterator[Advance]:
        """A bar that appears when bytes arrive; a line where nobody watches, or another bar moves."""
        from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn

        if self._moving or not is_watched():
            yield _line_once(lambda: self.say(title))
            return
        with self._bar(_text("title"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), lazy=True) as progress:
            yield _bar_once(progress, title)

    @contextmanager
    def _bar(self, *columns: object, lazy: bool = False) -> Iterator[Progress]:
        from rich.progress import Progress

        # stdout is left alone: results on it may go into a file while the bar moves
        progress = Progress(*columns, console=self.console, transient=True, redirect_stdout=False)  # type: ignore[arg-type]
        self._moving = True
        try:
            if not lazy:
                progress.start()
            yield progress
        finally:
            progress.stop()
            self._moving = False


class PagesBar:
    """Title, bar, pages, megapixels a second, time left, and the page in hand."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, title: str, pages: int) -> None:
        """Another book takes the bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(
            "", total=max(pages, 1), title=_shortened(title), pages=f"0/{pages}", rate="", left="", page=""
        )

    def update(self, pace: Pace, page: str) -> None:
        """Show where `pace` is; `page` is in hand."""
        if self._task is None:
            return
        rate, left_s = pace.megapixels_per_s, pace.left_s
        self._progress.update(
            self._task,
            completed=pace.completed,
            pages=f"{pace.done}/{pace.pages}",
            rate="" if rate is None else str(msg("{rate} MP/s", rate=f"{rate:.2f}")),
            left="" if left_s is None else str(msg("{span} left", span=format_span(left_s))),
            page=page,
        )


class JobBar:
    """Title, bar, pages, time left, and the page in hand or the job's state."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, title=_shortened(title), pages="", left="", page="")

    def update(self, *, completed: float, total: int, pages: str, left: str, page: str) -> None:
        """Show this; without a total the bar only moves."""
        self._progress.update(self._task, completed=completed, total=total or None, pages=pages, left=left, page=page)


def _page_columns() -> tuple[object, ...]:
    from rich.progress import BarColumn, SpinnerColumn

    return (
        SpinnerColumn("line"),
        _text("title"),
        BarColumn(bar_width=24),
        *map(_text, ("pages", "rate", "left", "page")),
    )


def _text(field: str) -> object:
    from rich.progress import TextColumn
    from rich.table import Column

    column = Column(no_wrap=True, overflow="ellipsis", ratio=1 if field == "page" else None)
    return TextColumn("{task.fields[" + field + "]}", markup=False, table_column=column)


def _shortened(title: str) -> str:
    """The end of a path says most."""
    return title if len(title) <= _TITLE_CELLS else f"…{title[1 - _TITLE_CELLS :]}"


def _line_once(tell: Callable[[], None]) -> Advance:
    told: list[bool] = []

    def advance(_done: float, _total: float) -> None:
        if not told:
            told.append(True)
            tell()

    return advance


def _bar_once(progress: Progress, title: Message) -> Advance:
    tasks: list[TaskID] = []

    def advance(done: float, total: float) -> None:
        if not tasks:
            progress.start()
            tasks.append(progress.add_task("", title=str(title)))
        progress.update(tasks[0], completed=done, total=total if done else None)  # pip tells no bytes: the bar pulses

    return advance
