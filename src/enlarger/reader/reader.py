"""The face of reading: books are opened, turned and left here, rules and options set, results and events had."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from enlarger.enhance import RenderCache
from enlarger.errors import BadRuleError, EnlargerError, IllegalMoveError, InputError, StorageError, UnknownJobError
from enlarger.jobs import Job, Jobs
from enlarger.messages import msg
from enlarger.models import made
from enlarger.reader.bookshelf import Bookshelf, facts_of
from enlarger.reader.desk import Desk
from enlarger.reader.events import ReaderEvent, ReaderListener
from enlarger.reader.facts import PageFacts
from enlarger.reader.feeder import Feeder
from enlarger.reader.flat_conditions import flat_of_rules, rules_of_flat
from enlarger.reader.hint import Hint
from enlarger.reader.json_forms import as_json, changed_options, options_from_json, rules_from_json
from enlarger.reader.lookup import Found, Lookup, MadeGraph
from enlarger.reader.options import RENDER_FORMAT, ReaderOptions
from enlarger.reader.page_state import PageState
from enlarger.reader.reader_store import ReaderStore
from enlarger.reader.readings import OWNER
from enlarger.reader.requests import Preload, Request, book_of, page_name
from enlarger.reader.revision import check_revision
from enlarger.reader.rules import Rule, RuleSet
from enlarger.reader.seats import GRACE_S, NAMELESS
from enlarger.reader.stamps import page_stamp
from enlarger.reader.stats import ReaderStats
from enlarger.reader.verdict import Verdict
from enlarger.settings import Settings

_OPTIONS, _RULES = "reader.options", "reader.rules"  # documents of the store
_KEY = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Reader:
    """Reading over Jobs. Thread-safe and synchronous: calls may wait for the disk, never for a page to be made."""

    def __init__(
        self,
        jobs: Jobs,
        shelf: Bookshelf,
        store: ReaderStore,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        grace_s: float = GRACE_S,
        made: MadeGraph = made,
    ) -> None:
        self._jobs, self._shelf, self._store = jobs, shelf, store
        self._cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
        self._lookup = Lookup(jobs.settings, jobs.catalog, self._cache, made, self._shares)
        self._setting = threading.Lock()  # of one thing at a time, so that what is stored is what is in force
        self._listening = threading.Lock()
        self._listeners: tuple[ReaderListener, ...] = ()
        options = _stored(store, _OPTIONS, options_from_json, ReaderOptions())
        rules = _stored(store, _RULES, rules_from_json, RuleSet())
        self._desk = Desk(options, rules, jobs.catalog, workers=settings.workers, clock=clock, grace_s=grace_s)
        self._feeder = Feeder(jobs, self._desk, self._tell)

    def start(self) -> None:
        """Delete what an earlier server left, and begin."""
        self._delete_left_jobs()
        self._feeder.start()

    def stop(self) -> None:
        """Leave all books. Nothing can be asked afterwards; the jobs go on without it."""
        self._desk.close()
        self._feeder.stop()

    def subscribe(self, listener: ReaderListener) -> Callable[[], None]:
        """`listener` hears every event, in order, from a thread of the reader's; it must not block.

        What is returned ends it.
        """
        with self._listening:
            self._listeners = (*self._listeners, listener)
        return lambda: self._unsubscribe(listener)

    # ---- books ----

    def open(self, book_id: str, seat: str = NAMELESS) -> list[PageState]:
        """Open a book; the states known of its pages. Raises UnknownBookError, BookError.

        seat: who reads, in the client's own word; all clients that say nothing are one. The book is open as long as
        anybody reads it, and each has his own place in it.
        """
        return self._open(book_id, seat)

    def close(self, book_id: str, seat: str = NAMELESS) -> None:
        """Leave a book: what nobody else wants of it stops. What is finished is kept for the grace, then given up.

        The cache keeps it longer.
        """
        self._desk.leave(book_id, seat)
        self._feeder.wake()

    def turn(self, book_id: str, page: int, also: Iterable[int] = (), seat: str = NAMELESS) -> list[PageState]:
        """The reader is here, also seeing the pages `also`. What is shown comes first, then what is ahead.

        Returns the states of all pages wanted now. Opens the book if it is not open; raises UnknownBookError.
        """
        also = tuple(also)
        if self._desk.sits(book_id, seat):
            self._look_again(book_id, (page, *also), seat)
        else:
            self._open(book_id, seat)
        states = self._desk.turn(book_id, page, also, seat)
        self._feeder.wake()
        return states

    @contextmanager
    def here(self, seat: str) -> Iterator[None]:
        """While this lasts the client is there. When it is over, with no other, its seats are free after the grace.

        Of clients that say nothing nobody knows which of them went: they have to say when they leave.
        """
        if seat == NAMELESS:
            yield
            return
        self._desk.came(seat)
        try:
            yield
        finally:
            self._desk.went(seat)
            self._feeder.wake()

    def states(self, book_id: str) -> list[PageState]:
        """Of every page of an open book that was ever wanted."""
        return self._desk.states(book_id)

    def sits(self, book_id: str, seat: str = NAMELESS) -> bool:
        """Whether the client reads the book: a turn need not open it."""
        return self._desk.sits(book_id, seat)

    def open_books(self) -> list[str]:
        """Their ids, the one turned last first."""
        return self._desk.open_books()

    # ---- single pages ----

    def request(self, request: Request) -> PageState:
        """One page, named by paths; it is tried again if it failed. Raises UnknownBookError, InputError."""
        book_id, page = self._find(request)
        state = self._desk.want(
            book_id,
            page,
            request.lane,
            asked=request.wished.treatment,
            image_hash=request.image_hash,
            seat=request.seat,
        )
        self._feeder.wake()
        return state

    def preload(self, preload: Preload) -> list[PageState]:
        """Pages around the one that is read."""
        return [self.request(request) for request in preload.requests()]

    def cancel_page(self, book_id: str, page: int) -> None:
        """Nothing more is done for the page; if it failed that is forgotten, and the next turn tries it again."""
        self._desk.cancel(book_id, [page])
        self._feeder.wake()

    def cancel_book(self, book_id: str) -> None:
        """Nothing more is done for the book; it stays open."""
        self._desk.cancel(book_id)
        self._feeder.wake()

    def clear(self) -> None:
        """Nothing more is done for any page, until it is wanted again."""
        self._desk.cancel_everything()
        self._feeder.wake()

    # ---- settings ----

    @property
    def options(self) -> ReaderOptions:
        """As they are in force."""
        return self._desk.options

    @property
    def rules(self) -> RuleSet:
        """As they are in force."""
        return self._desk.rules

    @property
    def hint(self) -> Hint | None:
        """That this machine cannot keep up, and what would, if it is so."""
        return self._desk.hint

    def set(self, **changes: Any) -> ReaderOptions:
        """Change options, durable on return; raises InputError, RecipeError, UnknownModelError."""
        with self._setting:
            options = changed_options(self.options, changes)
            options.recipe(options.treatment, self._jobs.catalog)
            self._store.put_document(_OPTIONS, as_json(options))
            self._desk.set_options(options)
        self._feeder.wake()
        return options

    def set_rules(self, rules: RuleSet, *, over: Collection[str] | None = None) -> RuleSet:
        """Other rules, durable on return; raises BadRuleError for one that cannot be used.

        over: RulesChangedError unless the rules in force are one of these revisions.
        """
        for rule in rules.rules:
            self._check(rule)
        return self._put_rules(rules, over)

    def conditions(self, rules: RuleSet | None = None) -> dict[str, Any]:
        """These rules, or those in force, in the flat JSON of earlier readers."""
        return flat_of_rules(self.rules if rules is None else rules, self._jobs.catalog)

    def set_conditions(self, flat: Mapping[str, Any], *, over: Collection[str] | None = None) -> RuleSet:
        """Rules in flat JSON; one with a pattern that cannot be used is kept, matches nothing, and says so in `test`.

        Raises BadRuleError for what is no list of conditions. over: as for `set_rules`.
        """
        return self._put_rules(rules_of_flat(flat, self._jobs.catalog), over)

    def test(
        self,
        *,
        book_id: str = "",
        page: int = 0,
        facts: PageFacts | None = None,
        rules: RuleSet | None = None,
    ) -> Verdict:
        """What a page of a book, or such a page, would get, and why; `rules`: others than those in force.

        Raises BadRuleError for patterns that are too heavy together.
        """
        if rules is not None:
            self._desk.patterns.check_together(rules.patterns)
        return self._desk.verdict(facts or self._facts(book_id, page), rules=rules)

    # ---- results ----

    def stats(self) -> ReaderStats:
        """Counts since the start."""
        return self._desk.stats()

    def render(self, key: str) -> Path | None:
        """The file of a finished render: an open book's, or the cache's; None where there is none."""
        if not _KEY.fullmatch(key):
            return None
        file = self._desk.file_of(key)
        if file is not None and file.exists():
            return file
        render = self._cache.get(key)
        return None if render is None else render.path

    def lookup(self, request: Request) -> Found:
        """Whether the render is kept that the page would get; nothing is made, and no book opened for reading.

        Raises UnknownBookError, InputError, ModelError.
        """
        path = book_of(request.book_path, request.image_path)
        book_id = self._shelf.id_of(path)
        facts, page = self._page(book_id, request)
        decision = self._desk.decide(facts, request.wished.treatment)
        if decision.recipe is None:
            return Found(reason=decision.failure.message if decision.failure else decision.verdict.reason)
        return self._lookup.find(self._shelf.locate(book_id), page, decision.recipe)

    def clear_results(self) -> int:
        """Drop the reader's renders: those of open books, and what the cache keeps in its format; how many."""
        self._desk.forget_results()
        self._feeder.wake()
        return self._cache.clean(only=_is_readers)

    # ---- within ----

    def _shares(self) -> Collection[int]:
        return {worker.share for worker in self._jobs.states()}

    def _open(self, book_id: str, seat: str, *, anew: bool = False) -> list[PageState]:
        path, pages = self._shelf.locate(book_id), self._shelf.pages(book_id)
        states = self._desk.admit(book_id, path, pages, is_folder=path.is_dir(), seat=seat, anew=anew)
        self._feeder.wake()
        return states

    def _look_again(self, book_id: str, pages: Iterable[int], seat: str) -> None:
        """Forget what is known of pages whose files were changed, or whose renders expired."""
        seen = self._desk.seen(book_id, pages)
        if any(page_stamp(page.book, page.name) != page.stamp for page in seen):
            self._open(book_id, seat, anew=True)
            return
        for page in seen:
            if page.state.key and self.render(page.state.key) is None:
                self._desk.forget(book_id, page.state.page)

    def _find(self, request: Request) -> tuple[str, int]:
        path = book_of(request.book_path, request.image_path)
        book_id = self._shelf.id_of(path)
        if not self._desk.sits(book_id, request.seat):
            self._open(book_id, request.seat)
        name = page_name(path, request.image_path)
        index = self._desk.index_of(book_id, name) if name else None
        return book_id, request.page_of(index)

    def _facts(self, book_id: str, page: int) -> PageFacts:
        return facts_of(self._shelf.locate(book_id), self._shelf.pages(book_id), page)

    def _page(self, book_id: str, request: Request) -> tuple[PageFacts, str]:
        """What rules are asked about the page, and what the book calls it."""
        path, pages = self._shelf.locate(book_id), self._shelf.pages(book_id)
        name = page_name(path, request.image_path)
        index = request.page_of(next((page.index for page in pages if name and page.name == name), None))
        return facts_of(path, pages, index), pages[index].name

    def _check(self, rule: Rule) -> None:
        try:
            for pattern in rule.match.patterns:
                self._desk.patterns.check(pattern)
            if not rule.skip:
                self.options.recipe(rule.recipe, self._jobs.catalog)
        except EnlargerError as error:
            raise BadRuleError(
                msg("Rule “{name}”: {problem}", name=rule.name, problem=error.message), error.remedy
            ) from error

    def _put_rules(self, rules: RuleSet, over: Collection[str] | None) -> RuleSet:
        self._desk.patterns.check_together(rules.patterns)
        with self._setting:
            check_revision(self.rules, over)
            kept = as_json(rules.with_own_ids())
            rules = rules_from_json(kept)  # what could not be read at the next start is refused now
            self._store.put_document(_RULES, kept)
            self._desk.set_rules(rules)
        self._feeder.wake()
        return rules

    def _delete_left_jobs(self) -> None:
        for job in self._left_jobs():
            try:
                if not job.state.is_final:
                    self._jobs.cancel(job.id)
                self._jobs.delete(job.id)
            except (UnknownJobError, IllegalMoveError):  # it ended in this moment
                continue
            except StorageError as error:  # it expires as every transient job does
                _log.warning("an earlier page's job stays: %s", error.text("en"), extra={"job": job.id})

    def _left_jobs(self) -> list[Job]:
        found, before = list[Job](), ""
        while True:
            jobs, before = self._jobs.find(transient=True, before=before, limit=500)
            found += [job for job in jobs if job.submission.owner == OWNER]
            if not before:
                return found

    def _tell(self, event: ReaderEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def _unsubscribe(self, listener: ReaderListener) -> None:
        with self._listening:
            self._listeners = tuple(other for other in self._listeners if other is not listener)


def _stored(store: ReaderStore, name: str, read: Callable[[Any], _T], default: _T) -> _T:
    """What was kept, or the default where this version does not understand it; then it stays under another name."""
    kept = store.document(name)
    try:
        return default if kept is None else read(kept)
    except InputError as error:
        _log.warning("%s: what was kept is not used; it stays as %s.unreadable: %s", name, name, error.text("en"))
        with suppress(StorageError):  # no room for a second copy is no reason not to start
            store.put_document(f"{name}.unreadable", kept)
        return default


def _is_readers(facts: Mapping[str, Any]) -> bool:
    """Whether a render is as the reader makes them; others who asked for the same format make theirs anew."""
    return bool(facts.get("recipe", {}).get("format") == RENDER_FORMAT)
