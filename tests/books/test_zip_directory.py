from __future__ import annotations

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zip_making import Member, raw_zip

from enlarger.books.zip_directory import count_entries

ENTRY = b"PK\x01\x02"


def end(length: int) -> bytes:
    return struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0, 0, length, 0, 0)  # states that there are no entries


def end64(length: int) -> bytes:
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 0, 0, length, 0)
    return record + struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)


def count(data: bytes, at_most: int = 100) -> int:
    return count_entries(BytesIO(data), at_most=at_most)


@given(st.integers(0, 30))
def test_entries_are_counted(number: int) -> None:
    assert count(raw_zip([Member(b"%d.jpg" % page) for page in range(number)])) == number


def test_the_stated_count_is_not_believed() -> None:
    assert count(ENTRY * 7 + end(28)) == 7


def test_only_the_directory_is_counted() -> None:
    assert count(ENTRY * 7 + ENTRY * 2 + end(8)) == 2


def test_zip64_states_the_length_elsewhere() -> None:
    assert count(ENTRY * 7 + end64(28) + end(0xFFFFFFFF)) == 7


@pytest.mark.parametrize("before", [(1 << 20) - 4, (1 << 20) - 2, 1 << 20])
def test_entries_across_chunks(before: int) -> None:
    directory = bytes(before) + ENTRY * 2
    assert count(directory + end(len(directory))) == 2


def test_counting_stops_beyond_the_limit() -> None:
    directory = ENTRY * (1 << 20)
    assert 5 < count(directory + end(len(directory)), at_most=5) < 1 << 19


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_any_bytes_can_be_counted(data: bytes, length: int) -> None:
    assert count(data) == 0
    assert count(data + end(length)) <= len(data) // len(ENTRY)
