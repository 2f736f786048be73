"""The tree of errors is the one drawn, and every error travels whole."""

from __future__ import annotations

import pickle
import re

import pytest

from enlarger import errors
from enlarger.errors import EnlargerError
from enlarger.messages import msg

_ALL = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, EnlargerError)]


def test_the_drawn_tree_is_the_real_tree() -> None:
    drawn: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─ ]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            drawn[found[2]] = above[depth - 1] if depth else None
    real = {c.__name__: (c.__base__.__name__ if c is not EnlargerError and c.__base__ else None) for c in _ALL}
    assert drawn == real


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [c.__dict__.get("code") for c in _ALL]
    assert None not in codes
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", _ALL, ids=lambda c: c.__name__)
def test_errors_survive_a_pipe(kind: type[EnlargerError]) -> None:
    error = kind(msg("{path}: broken.", path="a.cbz"), msg("Fetch it again."))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.message, copy.remedy, copy.code) == (error.message, error.remedy, error.code)


def test_sentence_and_remedy_are_shown_together() -> None:
    assert EnlargerError(msg("Broken."), msg("Fetch it again.")).text("en") == "Broken. Fetch it again."
    assert EnlargerError(msg("Broken.")).text("en") == "Broken."
