"""What the server itself refuses: errors with the HTTP status they are told by."""

from __future__ import annotations

from typing import ClassVar

from enlarger.errors import EnlargerError


class RefusalError(EnlargerError):
    """A request that is turned away before any job knows of it."""

    code = "refused"
    status: ClassVar[int] = 400


class BadRequestError(RefusalError):
    code = "bad_request"


class UnauthorizedError(RefusalError):
    code = "unauthorized"
    status = 401


class ForbiddenError(RefusalError):
    code = "forbidden"
    status = 403


class NotFoundError(RefusalError):
    code = "not_found"
    status = 404


class SlowBodyError(RefusalError):
    code = "slow_body"
    status = 408


class NotReadyError(RefusalError):
    """Something that will be there later: an artifact that is not finished."""

    code = "not_ready"
    status = 409


class GoneError(RefusalError):
    """Something that was there: a file somebody removed."""

    code = "gone"
    status = 410


class TooLargeError(RefusalError):
    code = "too_large"
    status = 413


class UnsupportedMediaError(RefusalError):
    code = "unsupported_media"
    status = 415


class RangeError(RefusalError):
    code = "bad_range"
    status = 416


class WrongHostError(RefusalError):
    code = "wrong_host"
    status = 421


class UnavailableError(RefusalError):
    """The server is starting or stopping."""

    code = "unavailable"
    status = 503
