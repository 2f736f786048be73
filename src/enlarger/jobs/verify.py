"""Proves an artifact: its members against its report, the report against the source, both against a manifest."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from enlarger.books import Book, is_page_name, looks_like_book, natural_key, open_book, page_identity
from enlarger.errors import BookError, InputError
from enlarger.jobs.manifest import Manifest, ReadReport, ReportedFile, ReportedPage, read_manifest, read_report
from enlarger.jobs.report import REPORT_NAME
from enlarger.messages import Message, msg
from enlarger.settings import Settings

Kind = Literal["missing", "extra", "mismatched"]
ComparedWith = Literal["report", "source", "manifest"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    name: as the one it was compared with calls it. member: the file of the archive it is about, "" for none.
    """

    kind: Kind
    name: str
    compared_with: ComparedWith
    message: Message
    member: str = ""


@dataclass(frozen=True)
class Verification:
    """What became of every comparison. Pages in `matched` are as everything that was asked says.

    failed: pages that the report itself says came to nothing.
    """

    artifact: Path
    matched: tuple[str, ...]
    differences: tuple[Difference, ...]
    failed: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.differences

    @property
    def missing(self) -> tuple[str, ...]:
        """What should be there and is not."""
        return self._names("missing")

    @property
    def extra(self) -> tuple[str, ...]:
        """What is there and nobody told of."""
        return self._names("extra")

    @property
    def mismatched(self) -> tuple[str, ...]:
        """What is there with other bytes."""
        return self._names("mismatched")

    def as_json(self, language: str | None = None) -> dict[str, Any]:
        """For scripts; the sentences in `language`."""
        return {
            "artifact": str(self.artifact),
            "ok": self.ok,
            "matched": list(self.matched),
            "missing": list(self.missing),
            "extra": list(self.extra),
            "mismatched": list(self.mismatched),
            "failed": list(self.failed),
            "differences": [
                {
                    "kind": difference.kind,
                    "name": difference.name,
                    "comparedWith": difference.compared_with,
                    "message": difference.message.text(language),
                }
                for difference in self.differences
            ],
        }

    def _names(self, kind: Kind) -> tuple[str, ...]:
        return tuple(dict.fromkeys(difference.name for difference in self.differences if difference.kind == kind))


def verify(
    artifact: Path, *, against: Path | None = None, manifest: Path | None = None, settings: Settings | None = None
) -> Verification:
    """Compare an archive (or the folder it was unpacked to) with the report in it; nothing is changed.

    against: the folder, archive or picture it was made from: every page of it that was asked for must have become one
    of the artifact, and be the one that was enlarged. settings: as `open_book` takes them, those of the job.
    manifest: the `manifest.json` of the client that uploaded the pages, reconciled by target name and the output's
    digest. Memory is one chunk. Raises InputError when one of them cannot be read at all.
    """
    wanted = None if manifest is None else read_manifest(manifest)
    with open_book(artifact, settings=settings) as book:
        report = read_report(book)
        differences = list(_against_report(book, report))
    if against is not None:
        differences += _against_source(artifact, report, against, settings)
    if wanted is not None:
        differences += _against_manifest(report, wanted, differences)
    concerned = {difference.member for difference in differences}
    matched = {item.filename for item in report.items} - concerned
    failed = [page.source for page in report.pages or () if page.filename is None]
    return Verification(artifact, tuple(sorted(matched, key=natural_key)), tuple(differences), tuple(failed))


# ---- the report ----


def _against_report(book: Book, report: ReadReport) -> Iterator[Difference]:
    told = [*report.items, *report.extras]
    present = {*(page.name for page in book.pages), *book.extras} - {REPORT_NAME}
    refused = {problem.name: problem.error for problem in book.problems}
    for file in told:
        if file.filename in present:
            yield from _compared(book, file)
        elif file.filename in refused:
            yield _mismatched(file.filename, refused[file.filename].message)
        else:
            missing = msg("{name}: is in the report, but not in the archive.", name=file.filename)
            yield Difference("missing", file.filename, "report", missing, file.filename)
    for name in sorted((present | refused.keys()) - {file.filename for file in told}, key=natural_key):
        extra = msg("{name}: is in the archive, but not in the report.", name=name)
        yield Difference("extra", name, "report", extra, name)


def _compared(book: Book, file: ReportedFile) -> Iterator[Difference]:
    try:
        sha256, found_bytes = _digest(book.stream(file.filename))
    except BookError as error:
        yield _mismatched(file.filename, error.message)
        return
    if (sha256, found_bytes) != (file.sha256, file.bytes):
        yield _mismatched(
            file.filename, msg("{name}: its content differs from what the report says.", name=file.filename)
        )


def _mismatched(name: str, message: Message) -> Difference:
    return Difference("mismatched", name, "report", message, name)


# ---- the source ----


def _against_source(
    artifact: Path, report: ReadReport, source: Path, settings: Settings | None
) -> Iterator[Difference]:
    if report.pages is None:
        raise InputError(
            msg("{path}: its report does not say what it was made from.", path=artifact),
            msg("Verify it without --against, or make it anew with a job of this version."),
        )
    there = dict(_source_pages(source, report, settings))
    told = {page.source: page for page in report.pages}
    renamed = _by_digest(page for page in report.pages if page.source not in there)
    found = set()
    for name, digest in there.items():
        page = told.get(name) or next(iter(renamed.get(digest, ())), None)
        if page is not None and page.source not in there:
            renamed[digest].remove(page)
        found.add(page)
        yield from _page_compared(name, digest, page)
    for page in report.pages:
        if page not in found:
            extra = msg("{name}: was enlarged, but is not in the source.", name=page.source)
            yield Difference("extra", page.source, "source", extra, page.filename or "")


def _by_digest(pages: Iterable[ReportedPage]) -> dict[object, list[ReportedPage]]:
    """Pages that the source has under no such name: clients number pages anew before they upload them."""
    digests: defaultdict[object, list[ReportedPage]] = defaultdict(list)
    for page in pages:
        if page.input_sha256 is not None:
            digests[page.input_sha256].append(page)
    return digests


def _page_compared(name: str, digest: str | BookError, page: ReportedPage | None) -> Iterator[Difference]:
    member = (page and page.filename) or ""
    if page is None or page.filename is None:
        missing = msg("{name}: this page of the source is not in the artifact.", name=name)
        yield Difference("missing", name, "source", missing)
    elif isinstance(digest, BookError):
        yield Difference("mismatched", name, "source", digest.message, member)
    elif digest != page.input_sha256:
        changed = msg("{name}: this page of the source is not the one that was enlarged.", name=name)
        yield Difference("mismatched", name, "source", changed, member)


def _source_pages(source: Path, report: ReadReport, settings: Settings | None) -> Iterator[tuple[str, str | BookError]]:
    """The pages that were asked for, each with its digest or why it has none."""
    if not looks_like_book(source):
        yield source.name, _file_digest(source)
        return
    named = {page.source for page in report.pages or ()} if report.selection == "named" else None
    with open_book(source, settings=settings, recursive=report.selection != "direct") as book:
        for page in book.pages:
            if named is None or page.name in named:
                yield page.name, _page_digest(book, page.name)
        for problem in book.problems:
            if is_page_name(problem.name) and (named is None or problem.name in named):
                yield problem.name, problem.error


def _page_digest(book: Book, name: str) -> str | BookError:
    try:
        return page_identity(book, name) or _digest(book.stream(name))[0]
    except BookError as error:
        return error


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
            msg("Check that the file is there and that you may read it."),
        ) from error


# ---- the manifest ----


def _against_manifest(report: ReadReport, manifest: Manifest, found: Iterable[Difference]) -> Iterator[Difference]:
    """By the name the page was uploaded under; its output may have another suffix."""
    known = {difference.member for difference in found if difference.compared_with == "report"}
    by_target = _members_by_target(report)
    named = set()
    for file in manifest.files:
        member = by_target.get(file.target)
        if member is None:
            missing = msg("{name}: the manifest names it, but it is not in the artifact.", name=file.target)
            yield Difference("missing", file.target, "manifest", missing)
        else:
            named.add(member)
    for item in report.items:
        if item.filename not in named | known:
            extra = msg("{name}: is in the artifact, but the manifest does not name it.", name=item.filename)
            yield Difference("extra", item.filename, "manifest", extra, item.filename)


def _members_by_target(report: ReadReport) -> Mapping[str, str]:
    members = {item.filename: item.filename for item in report.items}
    uploaded = {page.source: page.filename for page in report.pages or () if page.filename is not None}
    return members | uploaded


def _digest(chunks: Iterable[bytes]) -> tuple[str, int]:
    digest, found_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        found_bytes += len(chunk)
    return digest.hexdigest(), found_bytes
