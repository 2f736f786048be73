"""The JSON that verifying reads: the report in an artifact, and the manifest of the client that uploaded the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from enlarger.books import Book
from enlarger.errors import BookError, InputError
from enlarger.jobs.job import Selection
from enlarger.jobs.report import REPORT_NAME
from enlarger.messages import msg

_MOST_BYTES = 64 << 20  # a page takes about 2 kB of a report

_Digest = Annotated[str, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)]
_Name = Annotated[str, BeforeValidator(lambda value: value.replace("\\", "/") if isinstance(value, str) else value)]


class ReportedFile(BaseModel):
    """A file of the archive as the report tells of it."""

    model_config = ConfigDict(frozen=True)

    filename: str
    sha256: _Digest
    bytes: int


class ReportedPage(BaseModel):
    """A page of the source; `filename` is None where nothing came of it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    source: str
    filename: str | None = None
    input_sha256: _Digest | None = Field(None, alias="inputSha256")


class ReadReport(BaseModel):
    """`artifact-report.json`; what only Enlarger writes may be missing."""

    model_config = ConfigDict(frozen=True)

    items: tuple[ReportedFile, ...]
    extras: tuple[ReportedFile, ...] = ()
    pages: tuple[ReportedPage, ...] | None = None
    selection: Selection = "all"


class ManifestFile(BaseModel):
    """`target` is what the client called the page when it uploaded it; a Windows client may write backslashes."""

    model_config = ConfigDict(frozen=True)

    source: str
    target: _Name


class Manifest(BaseModel):
    """`manifest.json` of the manga contract, as far as it names pages."""

    model_config = ConfigDict(frozen=True)

    files: tuple[ManifestFile, ...]


def read_report(book: Book) -> ReadReport:
    """The report inside an artifact; raises InputError naming it and the remedy."""
    try:
        data = _at_most(book)
    except BookError as error:
        raise _no_report(book.path) from error
    try:
        return ReadReport.model_validate_json(data)
    except ValidationError as error:
        raise InputError(
            msg(
                "{path}: its {name} is not understood ({reason}).",
                path=book.path,
                name=REPORT_NAME,
                reason=_first(error),
            ),
            msg("Download the artifact again; if that does not help, retry the job."),
        ) from error


def read_manifest(path: Path) -> Manifest:
    """The client's manifest; raises InputError naming it and the remedy."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
            msg("Check that the file is there and that you may read it."),
        ) from error
    try:
        return Manifest.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        raise InputError(
            msg("{path}: is not a manifest of pages ({reason}).", path=path, reason=_first(error)),
            msg("Give the manifest.json that was uploaded with the pages."),
        ) from error


def _at_most(book: Book) -> bytes:
    data = bytearray()
    for chunk in book.stream(REPORT_NAME):
        data += chunk
        if len(data) > _MOST_BYTES:
            break  # cut short, it is no JSON any more
    return bytes(data)


def _no_report(path: Path) -> InputError:
    return InputError(
        msg("{path}: holds no {name} that can be read.", path=path, name=REPORT_NAME),
        msg("Give an archive that a job of Enlarger's server made, and download it again if it is damaged."),
    )


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
