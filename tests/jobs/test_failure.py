"""A stored failure becomes the error it was again."""

from __future__ import annotations

import pytest

from enlarger.errors import DiskFullError, EnlargerError, PictureError, UnexpectedError
from enlarger.jobs import Failure
from enlarger.messages import msg


@pytest.mark.parametrize("kind", [PictureError, DiskFullError, UnexpectedError])
def test_an_error_comes_back_as_its_kind(kind: type[EnlargerError]) -> None:
    stored = Failure.from_json(Failure.of(kind(msg("{path}: no.", path="a.png"), msg("Again."))).as_json())
    error = stored.as_error()
    assert type(error) is kind
    assert (error.message, error.remedy) == (stored.message, stored.remedy)


def test_a_kind_that_is_not_known_any_more_is_unexpected() -> None:
    assert type(Failure("of_another_version", msg("no")).as_error()) is UnexpectedError
