"""A job's pages in one archive: streamed, each page checked against its digest on the way, whole or absent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from enlarger.books import (
    COMIC_INFO,
    Book,
    PageFacts,
    Stream,
    is_page_name,
    looks_like_book,
    open_book,
    own_file,
    refresh_comic_info,
    write_cbz,
)
from enlarger.cancel import CancelToken, check
from enlarger.errors import ArtifactError, BookError
from enlarger.jobs.job import Artifact, Job, Page, PageResult
from enlarger.jobs.report import REPORT_NAME, Member, build_report, in_report, reading_order, report_json, result_of
from enlarger.jobs.storage_root import StorageRoot
from enlarger.messages import Message, msg
from enlarger.settings import Settings
from enlarger.storage import drop_temporaries

MANIFEST_NAME = "manifest.json"
_CHUNK_BYTES = 1 << 20
_MOST_NAMES = 5
_LARGEST_COMIC_INFO_BYTES = 16 << 20


def pack(
    job: Job,
    pages: Sequence[Page],
    *,
    storage: StorageRoot,
    settings: Settings | None = None,
    cancel: CancelToken | None = None,
) -> Artifact:
    """Write the archive of the job's finished pages; durable on return, replacing an earlier one.

    It holds the pages in reading order, what lay beside them in the source (ComicInfo.xml with its sizes made true),
    and the report. `settings` as `open_book` takes them. Only one packer may be at work on a job; what killed ones left
    is deleted first. The same pages give the same bytes but for the report's times. Takes one chunk of
    memory, whatever the sizes.

    Raises ArtifactError, with the names of all pages whose file was lost or changed since they were finished,
    DiskFullError, StorageError, CancelledError.
    """
    target = storage.artifact_file(job)
    drop_temporaries(target.parent, f"{job.id}-")
    done = [page for page in reading_order(pages) if result_of(page) is not None]
    packing = _Packing(job, done, pages, storage, settings, cancel)
    try:
        written = write_cbz(target, packing.members(), deflates=False, label=f"{job.id}-{job.retries}-")
    except _NotAsFinishedError as error:
        raise _to_be_made_again(packing.spoilt(error.page)) from error
    return Artifact(storage.relative(target), written.sha256, written.size_bytes)


class _NotAsFinishedError(Exception):
    """A page's file is not what it was when the page was finished."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.name)
        self.page = page


@dataclass
class _Packing:
    """One archive in the making: the finished pages, all pages, and what was learnt of the extras on the way."""

    job: Job
    done: Sequence[Page]
    pages: Sequence[Page]
    storage: StorageRoot
    settings: Settings | None
    cancel: CancelToken | None
    extras: list[Member] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def members(self) -> Iterator[tuple[str, Stream]]:
        for page in self.done:
            check(self.cancel)
            result = _result(page)
            yield result.output, Stream(result.bytes, self._checked(page))
        yield from self._extras()
        report = build_report(
            self.job,
            self.pages,
            output_dir=self.storage.relative(self.storage.output_dir(self.job)),
            extras=self.extras,
            notes=self.notes,
        )
        data = report_json(report)
        yield REPORT_NAME, Stream(len(data), [data])

    def spoilt(self, first: Page) -> tuple[str, ...]:
        """All pages that are not as they were finished, `first` among them: so that all can be made again at once."""
        return tuple(page.name for page in self.done if page is first or self._is_spoilt(page))

    def _is_spoilt(self, page: Page) -> bool:
        check(self.cancel)
        try:
            for _ in self._checked(page):
                pass
        except _NotAsFinishedError:
            return True
        return False

    def _checked(self, page: Page) -> Iterator[bytes]:
        result, digest, found_bytes = _result(page), hashlib.sha256(), 0
        for chunk in self._chunks(page):
            digest.update(chunk)
            found_bytes += len(chunk)
            if found_bytes > result.bytes:  # not a chunk more: the archive's header has been written
                raise _NotAsFinishedError(page)
            yield chunk
        if (found_bytes, digest.hexdigest()) != (result.bytes, result.output_sha256):
            raise _NotAsFinishedError(page)

    def _chunks(self, page: Page) -> Iterator[bytes]:
        try:
            with self.storage.output_path(self.job, page).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise _NotAsFinishedError(page) from error

    # ---- what lay beside the pages ----

    def _extras(self) -> Iterator[tuple[str, Stream]]:
        source = self.job.submission.source
        if source.kind == "picture":
            return
        try:
            book = open_book(source.path, settings=self.settings, recursive=source.is_recursive)
        except BookError as error:  # moved away since its pages were read: they are what matters
            self.notes.append(in_report(error.message))
            return
        with book:
            refused = [problem.error for problem in book.problems if not is_page_name(problem.name)]
            self.notes.extend(in_report(error.message) for error in refused)
            for name in book.extras:
                check(self.cancel)
                yield from self._extra(book, name)

    def _extra(self, book: Book, name: str) -> Iterator[tuple[str, Stream]]:
        if name.casefold() in (REPORT_NAME, MANIFEST_NAME):
            return  # of an artifact that is the source now, or of the client that uploaded it: not of this archive
        if (file := own_file(book, name)) is not None and looks_like_book(file):
            self.notes.append(in_report(msg("{name}: an archive within a folder is not carried over.", name=name)))
            return
        try:
            size_bytes = sum(map(len, book.stream(name)))  # before its header is written: it may be damaged
        except BookError as error:
            self.notes.append(in_report(error.message))
            return
        if name == COMIC_INFO and size_bytes <= _LARGEST_COMIC_INFO_BYTES:
            data = refresh_comic_info(book.read(name), self._page_facts(book))
            yield name, Stream(len(data), self._noted(name, [data]))
        else:
            yield name, Stream(size_bytes, self._noted(name, book.stream(name)))

    def _noted(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks, and once all are taken the member in the report."""
        digest, found_bytes = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            found_bytes += len(chunk)
            yield chunk
        self.extras.append(Member(name, digest.hexdigest(), found_bytes))

    def _page_facts(self, book: Book) -> list[PageFacts | None]:
        """In the book's order, which ComicInfo.xml counts by; None for pages that were not finished."""
        results = {page.name: _result(page) for page in self.done}
        return [_facts(results[page.name]) if page.name in results else None for page in book.pages]


def _facts(result: PageResult) -> PageFacts | None:
    size = result.facts.get("size")
    return PageFacts(size[0], size[1], result.bytes) if size else None


def _result(page: Page) -> PageResult:
    result = result_of(page)
    assert result is not None, "only finished pages are packed"
    return result


def _to_be_made_again(names: Sequence[str]) -> ArtifactError:
    shown: str | Message = ", ".join(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        shown = msg("{names} and {count} more", names=shown, count=len(names) - _MOST_NAMES)
    return ArtifactError(
        msg("Finished pages were lost or changed on the disk before they were packed: {names}.", names=shown),
        msg("Retry the job: these pages are made again."),
        tuple(names),
    )
