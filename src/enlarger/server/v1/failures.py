"""A stored failure as the error it was."""

from __future__ import annotations

from functools import cache

from enlarger.errors import EnlargerError
from enlarger.jobs import Failure
from enlarger.server.problems import UnexpectedError


def error_of(failure: Failure) -> EnlargerError:
    """An error of the failure's kind and sentence, so that it is told by the status it deserves."""
    kind = _kinds().get(failure.code, UnexpectedError)
    return kind(failure.message, failure.remedy)


@cache
def _kinds() -> dict[str, type[EnlargerError]]:
    kinds = [EnlargerError]
    for kind in kinds:  # grows while it is walked: subclasses of subclasses
        kinds.extend(kind.__subclasses__())
    return {kind.code: kind for kind in kinds}
