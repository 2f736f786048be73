"""A multipart form written to disk as it comes: files go straight to their folder, only fields stay in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from enlarger.messages import msg
from enlarger.server.refusals import BadRequestError, TooLargeError, UnsupportedMediaError
from enlarger.server.upload_names import UniqueNames, safe_upload_name
from enlarger.settings import Settings
from enlarger.storage import make_folder, storage_errors, sync_file, sync_folder


@dataclass(frozen=True)
class UploadLimits:
    """What a request may hand in. chunk_timeout_s: the longest pause between two pieces of the body."""

    max_bytes: int
    max_files: int = 10_000
    max_fields: int = 100
    max_field_bytes: int = 64 * 1024
    chunk_timeout_s: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits that the settings give."""
        return cls(int(settings.max_upload_bytes))


@dataclass(frozen=True)
class UploadedFile:
    """A file that came in: `field` of the form, `name` as sanitised (POSIX, below the folder), where it lies."""

    field: str
    name: str
    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Upload:
    """A form: its fields, and its files in the order they came."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: tuple[UploadedFile, ...] = ()


class FileSink:
    """One file being written below `folder`; `finish` makes it durable."""

    def __init__(self, folder: Path, name: str, form_field: str = "") -> None:
        self._name, self._field = name, form_field
        self._path = folder / name
        self._digest = hashlib.sha256()
        self._bytes = 0
        with storage_errors(self._path):
            make_folder(self._path.parent)
            self._file: BinaryIO = self._path.open("xb")

    def write(self, data: bytes | memoryview) -> None:
        """The next piece; raises StorageError."""
        with storage_errors(self._path):
            self._file.write(data)
        self._digest.update(data)
        self._bytes += len(data)

    def finish(self) -> UploadedFile:
        """The file, on the disk; its folder's entry is not synced yet."""
        with storage_errors(self._path), self._file as file:
            sync_file(file)
        return UploadedFile(self._field, self._name, self._path, self._bytes, self._digest.hexdigest())

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._file.close()


class FormSink:
    """Takes a multipart body in pieces of any size. Every call may block: keep it off the event loop."""

    def __init__(self, content_type: str, folder: Path, limits: UploadLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._names = UniqueNames()
        self._fields: dict[str, str] = {}
        self._files: list[UploadedFile] = []
        self._part: _Part = _Part()
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._ended = False
        self._parser = self._open(content_type)

    def _open(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise UnsupportedMediaError(
                msg("A multipart form was expected, not “{type}”.", type=content_type),
                msg("Send the files as multipart/form-data."),
            )
        try:
            return MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._all,
                },
            )
        except (KeyError, FormParserError) as error:
            raise _broken() from error

    def feed(self, data: bytes) -> None:
        """The next piece of the body; raises BadRequestError, TooLargeError, StorageError."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _broken() from error

    def finish(self) -> Upload:
        """The form, its files durable; raises BadRequestError when the body ended early."""
        if not self._ended:
            raise _broken()
        sync_tree(self._folder, [file.path for file in self._files])
        return Upload(self._fields, tuple(self._files))

    def close(self) -> None:
        """Let go of a file that is open still."""
        if self._part.sink is not None:
            self._part.sink.close()

    # ---- the parser's callbacks ----

    def _begin(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._part.disposition = value
        self._header = (b"", b"")

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        if b"name" not in options:
            raise _broken()
        self._part.name = options[b"name"].decode(errors="replace")
        if b"filename" in options:
            self._check_count(len(self._files), self._limits.max_files)
            name = self._names.take(safe_upload_name(options[b"filename"].decode(errors="replace")))
            self._part.sink = FileSink(self._folder, name, self._part.name)
        else:
            self._check_count(len(self._fields), self._limits.max_fields)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.sink is not None:
            self._part.sink.write(memoryview(data)[start:end])
            return
        self._part.value += data[start:end]
        if len(self._part.value) > self._limits.max_field_bytes:
            raise TooLargeError(msg("The field “{name}” is too long.", name=self._part.name))

    def _end(self) -> None:
        if self._part.sink is not None:
            self._files.append(self._part.sink.finish())
            self._part.sink = None
        else:
            self._fields[self._part.name] = self._part.value.decode(errors="replace")

    def _all(self) -> None:
        self._ended = True

    def _check_count(self, count: int, most: int) -> None:
        if count >= most:
            raise TooLargeError(
                msg("More than {most} files or fields in one request.", most=most), msg("Send an archive instead.")
            )


@dataclass
class _Part:
    disposition: bytes = b""
    name: str = ""
    value: bytes = b""
    sink: FileSink | None = None


def sync_tree(folder: Path, files: list[Path]) -> None:
    """Make the entries of these files durable, and those of the folders on the way to them."""
    folders = {parent for file in files for parent in file.parents if parent.is_relative_to(folder)}
    with storage_errors(folder):
        for each in sorted(folders | {folder.parent}, key=lambda path: len(path.parts), reverse=True):
            sync_folder(each)


def _broken() -> BadRequestError:
    return BadRequestError(
        msg("The multipart form is broken or ended early."),
        msg("Send it again; a standard HTTP library builds such forms correctly."),
    )
