"""Pictures and archives coming in: streamed to disk part by part, within limits, under names that cannot escape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from enlarger.settings import Settings


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


async def receive_form(request: Request, folder: Path, limits: UploadLimits) -> Upload:
    """A multipart form, its files in `folder`, durable on return; nothing is left there after an error.

    Raises TooLargeError, SlowBodyError, BadRequestError, UnsupportedMediaError, StorageError.
    """
    raise NotImplementedError


async def receive_raw(request: Request, folder: Path, name: str, limits: UploadLimits) -> UploadedFile:
    """The body as one file `name` in `folder`, durable on return. Raises as `receive_form` does."""
    raise NotImplementedError
