"""Sizes and spans as people write and read them."""

from __future__ import annotations

import pytest

from enlarger.cli.amounts import format_bytes, format_span, parse_size_bytes, parse_span_s
from enlarger.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 30 * 86400), ("12h", 43200), ("90 m", 5400), ("45S", 45), ("1.5h", 5400), ("2w", 1209600)],
)
def test_spans(text: str, seconds: float) -> None:
    assert parse_span_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("5GB", 5 * 1024**3), ("500M", 500 * 1024**2), ("1.5 GiB", 1610612736), ("2kb", 2048)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "d", "30", "30y", "-1d", "1e9d"])
def test_what_is_no_span_is_named(text: str) -> None:
    with pytest.raises(RecipeError, match="is not a span of time"):
        parse_span_s(text)


@pytest.mark.parametrize("text", ["", "GB", "5XB", "-5GB", "5 G B"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(RecipeError, match="is not a size"):
        parse_size_bytes(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (5 * 1024**3, "5.0 GB"), (3e12, "2.7 TB")]
)
def test_sizes_are_shown_short(size: float, text: str) -> None:
    assert format_bytes(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (185, "3:05"), (3723, "1:02:03")])
def test_spans_are_shown_short(seconds: float, text: str) -> None:
    assert format_span(seconds) == text
