"""Runs errands: pictures, folders and archives through the road, each page in place as soon as it is done.

Stopped at any moment and run again, only what is missing is computed: finished pages are known by the journal
of their output, and by the cache.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from enlarger.books import (
    COMIC_INFO,
    Book,
    OutputNames,
    PageFacts,
    looks_like_book,
    open_book,
    page_identity,
    refresh_comic_info,
    write_cbz,
)
from enlarger.cancel import CancelToken
from enlarger.enhance.cache import Render, RenderCache, place
from enlarger.enhance.enhancer import Enhancer
from enlarger.enhance.errands import Errand
from enlarger.enhance.journal import WHOLE, Journal
from enlarger.enhance.outcomes import Listener, PageOutcome, Report
from enlarger.enhance.recipe import Recipe
from enlarger.enhance.rendering import Rendering, Source
from enlarger.enhance.road import PageResult, Road
from enlarger.errors import InputError
from enlarger.messages import msg
from enlarger.pictures import OUTPUT_SUFFIXES, spelled
from enlarger.storage import drop_tree, one_at_a_time, write_atomic


@dataclass(frozen=True)
class _Leg:
    """Pages that share a journal: where each goes, and whether that folder is ours alone.

    suffixes: by page's name, the suffix it gets if the format fits. file_of: (page's name, suffix) -> its file.
    """

    sources: Sequence[Source]
    root: Path
    suffixes: Mapping[str, str]
    file_of: Callable[[str, str], Path]
    journal: Journal
    private: bool = False

    def finished(self, name: str, key: str) -> Render | None:
        """The page's file, if it is there; never an archive that holds it."""
        render = self.journal.finished(name, key)
        return render if render is not None and self.root.resolve() in render.path.parents else None


class ErrandRunner:
    """One recipe for many errands. Each page is durable before the listener hears of it."""

    def __init__(
        self,
        enhancer: Enhancer,
        cache: RenderCache,
        recipe: Recipe,
        *,
        listener: Listener | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._enhancer = enhancer
        self._cache = cache
        self._recipe = recipe
        self._listener = listener or Listener()
        self._cancel = cancel
        self._journals_dir = enhancer.settings.cache_dir / "journals"
        self._parts_dir = enhancer.settings.cache_dir / "parts"

    def run(self, errands: Sequence[Errand]) -> Iterator[Report]:
        """A report for every book, and one for the loose pictures of each output folder.

        What is wrong with one page or book is in its report; StorageError, ModelError and CancelledError end the run.
        """
        loose = [errand for errand in errands if errand.kind == "picture"]
        for folder, group in groupby(loose, key=lambda errand: errand.target.parent):
            yield self._pictures(folder, tuple(group))
        for errand in errands:
            if errand.kind != "picture":
                yield self._book(errand, [other.target for other in errands])

    def _pictures(self, folder: Path, errands: Sequence[Errand]) -> Report:
        started = time.perf_counter()
        sources = [Source.of_file(errand.source) for errand in errands]
        targets = {str(errand.source): errand.target for errand in errands}
        title = sources[0].name if len(sources) == 1 else str(folder)
        self._listener.begins(title, len(sources))
        journal = Journal.of(folder, self._journals_dir)
        suffixes = {str(errand.source): errand.suffix for errand in errands}
        leg = _Leg(sources, folder, suffixes, lambda name, suffix: folder / (targets[name].name + suffix), journal)
        pages = tuple(self._outcomes(leg))
        return Report(title, folder, pages, time.perf_counter() - started)

    def _book(self, errand: Errand, targets: Sequence[Path]) -> Report:
        started = time.perf_counter()
        try:
            with open_book(errand.source, settings=self._enhancer.settings) as book:
                pages = self._packed(book, errand) if errand.packs else self._foldered(book, errand, targets)
        except InputError as error:
            return Report(str(errand.source), errand.target, (), time.perf_counter() - started, error)
        return Report(str(errand.source), errand.target, pages, time.perf_counter() - started)

    def _foldered(self, book: Book, errand: Errand, targets: Sequence[Path]) -> tuple[PageOutcome, ...]:
        outside = _outside(errand, targets)
        names = [page.name for page in book.pages if outside(page.name)]
        self._listener.begins(str(errand.source), len(names) + len(book.problems))
        problems = self._problems(book)
        pages = tuple(self._outcomes(_leg(book, names, errand.target, Journal.of(errand.target, self._journals_dir))))
        extras = [name for name in filter(outside, book.extras) if not looks_like_book(errand.source / name)]
        unread: list[PageOutcome] = []
        for name, data in self._extras(book, extras, unread):
            if not (errand.target / name).exists():
                write_atomic(errand.target / name, data)
        return (*problems, *pages, *unread)

    def _packed(self, book: Book, errand: Errand) -> tuple[PageOutcome, ...]:
        names = [page.name for page in book.pages]
        self._listener.begins(str(errand.source), len(names) + len(book.problems))
        problems = self._problems(book)
        name = Journal.of(errand.target, self._journals_dir).name
        with one_at_a_time(self._journals_dir / name, self._cancel):  # whoever is done first takes the parts away
            journal = Journal.of(errand.target, self._journals_dir)  # as the one before left it
            leg = _leg(book, names, self._parts_dir / name, journal, private=True)
            return problems + self._archived(book, errand, leg)

    def _archived(self, book: Book, errand: Errand, leg: _Leg) -> tuple[PageOutcome, ...]:
        target = errand.target
        if target.exists() and not leg.journal.holds(target):
            raise _not_ours(target)
        contents = _contents(book)
        if kept := self._kept_archive(leg, target, contents):
            return kept
        pages = tuple(self._outcomes(leg))
        unread: list[PageOutcome] = []
        leg.journal.announce(target)
        write_cbz(target, _members(book, pages, leg, self._extras(book, book.extras, unread)))
        leg.journal.pack([page.name for page in pages if page.status != "failed"], target, contents)
        drop_tree(leg.root)
        return (*(replace(page, file=page.file and target) for page in pages), *unread)

    def _kept_archive(self, leg: _Leg, target: Path, contents: str) -> tuple[PageOutcome, ...]:
        """The pages' outcomes when the archive of an earlier run still holds just this book, else nothing."""
        if leg.journal.finished(WHOLE, contents) is None:
            return ()
        rendering = Rendering(self._enhancer, self._cache, self._recipe)
        with suppress(InputError):
            found = {page.name: leg.journal.finished(page.name, rendering.key(page)) for page in leg.sources}
            kept = [PageOutcome(name, "kept", target, facts=r.facts) for name, r in found.items() if r is not None]
            if len(kept) == len(found):
                return tuple(map(self._told, kept))
        return ()

    def _outcomes(self, leg: _Leg) -> Iterator[PageOutcome]:
        rendering = Rendering(self._enhancer, self._cache, self._recipe, leg.finished)
        results = Road(rendering).run(leg.sources, progress=self._listener.page_progress, cancel=self._cancel)
        for result in results:
            yield self._told(self._settled(result, leg))

    def _settled(self, result: PageResult, leg: _Leg) -> PageOutcome:
        if result.render is None:
            return PageOutcome(result.name, "failed", error=result.error)
        file = leg.file_of(result.name, _suffix(leg.suffixes[result.name], result.render))
        if result.render.path == file.resolve():
            return PageOutcome(result.name, "kept", file, facts=result.render.facts)
        if not leg.private and _is_foreign(file, result.render, leg.journal):
            return PageOutcome(result.name, "failed", error=_not_ours(file))
        place(result.render, file, link=leg.private)
        leg.journal.add(result.name, result.render, file)
        return PageOutcome(result.name, "computed" if result.computed else "cached", file, facts=result.render.facts)

    def _problems(self, book: Book) -> tuple[PageOutcome, ...]:
        return tuple(self._told(PageOutcome(p.name, "failed", error=p.error)) for p in book.problems)

    def _extras(self, book: Book, names: Iterable[str], unread: list[PageOutcome]) -> Iterator[tuple[str, bytes]]:
        """What lies beside the pages; what cannot be read is told and noted in `unread`."""
        for name in names:
            try:
                yield name, book.read(name)
            except InputError as error:
                unread.append(self._told(PageOutcome(name, "failed", error=error)))

    def _told(self, outcome: PageOutcome) -> PageOutcome:
        self._listener.page_done(outcome)
        return outcome


def _leg(book: Book, names: Sequence[str], root: Path, journal: Journal, *, private: bool = False) -> _Leg:
    plan = OutputNames.plan(names, OUTPUT_SUFFIXES)
    sources = [Source(name, partial(book.read, name), partial(page_identity, book, name)) for name in names]
    suffixes = {name: Path(name).suffix for name in names}
    return _Leg(sources, root, suffixes, lambda name, suffix: root / plan.name(name, suffix), journal, private)


def _members(
    book: Book, pages: Sequence[PageOutcome], leg: _Leg, extras: Iterable[tuple[str, bytes]]
) -> Iterator[tuple[str, Path | bytes]]:
    """The new archive's members: pages in order, a failed one as it came, then what lay beside them."""
    for page in pages:
        file = page.file or leg.file_of(page.name, leg.suffixes[page.name])
        with suppress(InputError):
            yield file.relative_to(leg.root).as_posix(), page.file or book.read(page.name)
    for name, data in extras:
        yield name, refresh_comic_info(data, [_page_facts(page) for page in pages]) if name == COMIC_INFO else data


def _contents(book: Book) -> str:
    """What tells the book from any other with the same pages: their order, and what lies beside them."""
    digest = hashlib.sha256(json.dumps([page.name for page in book.pages]).encode())
    for name in book.extras:
        with suppress(InputError):
            digest.update(name.encode() + b"\0" + hashlib.sha256(book.read(name)).digest())
    return digest.hexdigest()


def _is_foreign(file: Path, render: Render, journal: Journal) -> bool:
    """Whether a file is in the way that we did not make, or that was changed since."""
    return file.exists() and not journal.holds(file) and not filecmp.cmp(file, render.path, shallow=False)


def _not_ours(file: Path) -> InputError:
    return InputError(
        msg("{path}: is there already, and Enlarger did not make it or it was changed since.", path=file),
        msg("Choose another place with -o, or move the file away."),
    )


def _page_facts(page: PageOutcome) -> PageFacts | None:
    if page.file is None:
        return None
    width, height = page.facts["size"]
    return PageFacts(width, height, page.file.stat().st_size)


def _suffix(preferred: str, render: Render) -> str:
    """`preferred` where it says the same as the render's own (".jpeg" stays)."""
    return spelled(preferred, render.format)


def _outside(errand: Errand, targets: Sequence[Path]) -> Callable[[str], bool]:
    """Whether a member of a folder is no result of this very command, which may lie inside the folder."""
    source = errand.source.resolve()
    results = {target.resolve() for target in targets if source in target.resolve().parents}

    def outside(name: str) -> bool:
        path = (errand.source / name).resolve()
        return results.isdisjoint(path.parents)

    return outside
