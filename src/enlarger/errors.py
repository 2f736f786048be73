"""One tree of errors. Each carries a code, a sentence that names the file, and a remedy.

    EnlargerError
    ├── InputError            what was handed in cannot be used
    │   ├── PictureError      a file that is no picture, is broken, or is too large
    │   ├── BookError         an archive or folder that cannot or must not be read
    │   │   └── UnknownBookError  a book, page or folder that is not on the shelf
    │   ├── RecipeError       options that contradict each other or a model
    │   └── BadRuleError          a reader's rule that cannot be used, such as a bad pattern
    ├── ModelError            a model that is unknown, missing or refused
    │   ├── UnknownModelError
    │   ├── WeightsMissingError
    │   ├── WeightsRefusedError   hostile, broken or unrecognised weights
    │   └── FetchError        a download that failed, or whose checksum did not match
    ├── RuntimeFailedError    a runtime that is missing or failed
    │   ├── OutOfMemoryError
    │   └── BadOutputError    NaN, all black or constant output, in fp32 too
    ├── StorageError          a disk that is full, a folder that cannot be written
    │   ├── DiskFullError
    │   └── LedgerError       the file of jobs is broken, too new, or in a place that cannot keep it safe
    ├── JobError              a job that is not there, or cannot do what is asked of it
    │   ├── UnknownJobError
    │   ├── IllegalMoveError      a state that does not allow it
    │   ├── QueueFullError        too much is waiting already
    │   ├── IdempotencyError      the same key with another request
    │   └── ArtifactError         finished pages that were lost or changed before they were packed
    ├── ServerError           a server that cannot be started, reached or understood
    ├── TimedOutError         the caller's time was up; the work was stopped
    ├── UnexpectedError       what nobody foresaw
    └── CancelledError        the caller asked to stop

Foreign exceptions are mapped where they arise; nothing above that seam knows Pillow, OpenVINO or httpx.
"""

from __future__ import annotations

from typing import ClassVar

from enlarger.messages import Message, msg


class EnlargerError(Exception):
    """What every error of Enlarger is. `str()` gives sentence and remedy in the process's language."""

    code: ClassVar[str] = "error"

    def __init__(self, message: Message, remedy: Message | None = None) -> None:
        super().__init__(message, remedy)  # both in args: errors travel between processes
        self.message = message
        self.remedy = remedy

    def text(self, language: str | None = None) -> str:
        """Sentence and remedy in `language`."""
        if self.remedy is None:
            return self.message.text(language)
        return msg("{first} {second}", first=self.message, second=self.remedy).text(language)

    def __str__(self) -> str:
        return self.text()


class InputError(EnlargerError):
    code = "bad_input"


class PictureError(InputError):
    code = "bad_picture"


class BookError(InputError):
    code = "bad_book"


class UnknownBookError(BookError):
    code = "unknown_book"


class RecipeError(InputError):
    code = "bad_recipe"


class BadRuleError(InputError):
    code = "bad_rule"


class ModelError(EnlargerError):
    code = "model"


class UnknownModelError(ModelError):
    code = "unknown_model"


class WeightsMissingError(ModelError):
    code = "weights_missing"


class WeightsRefusedError(ModelError):
    code = "weights_refused"


class FetchError(ModelError):
    code = "fetch_failed"


class RuntimeFailedError(EnlargerError):
    code = "runtime_failed"


class OutOfMemoryError(RuntimeFailedError):
    code = "out_of_memory"


class BadOutputError(RuntimeFailedError):
    code = "bad_output"


class StorageError(EnlargerError):
    code = "storage"


class DiskFullError(StorageError):
    code = "disk_full"


class LedgerError(StorageError):
    code = "ledger"


class JobError(EnlargerError):
    code = "job"


class UnknownJobError(JobError):
    code = "unknown_job"


class IllegalMoveError(JobError):
    code = "illegal_move"


class QueueFullError(JobError):
    code = "queue_full"


class IdempotencyError(JobError):
    code = "idempotency_conflict"


class ArtifactError(JobError):
    """`pages` names those that have to be made again, as their source calls them."""

    code = "artifact"

    def __init__(self, message: Message, remedy: Message | None = None, pages: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.args = (message, remedy, pages)
        self.pages = pages


class ServerError(EnlargerError):
    code = "server"


class TimedOutError(EnlargerError):
    code = "timed_out"


class UnexpectedError(EnlargerError):
    code = "internal"


class CancelledError(EnlargerError):
    code = "cancelled"
