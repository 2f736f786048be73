from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from enlarger.books.fingerprint import file_digest
from enlarger.errors import BookError

LARGE = bytes(2 << 20)


def aged(path: Path, data: bytes, seconds: int = 100) -> Path:
    path.write_bytes(data)
    os.utime(path, ns=(10**18, 10**18 + seconds * 10**9))
    return path


def test_a_large_files_digest_is_remembered_while_size_and_time_stay(tmp_path: Path) -> None:
    path, memory = aged(tmp_path / "a.pdf", LARGE), tmp_path / "digests"
    first = file_digest(path, memory)
    assert first == hashlib.sha256(LARGE).hexdigest()
    aged(path, LARGE[:-1] + b"x")
    assert file_digest(path, memory) == first  # not looked at again
    aged(path, LARGE[:-1] + b"x", seconds=101)
    assert file_digest(path, memory) == hashlib.sha256(LARGE[:-1] + b"x").hexdigest()


def test_a_small_file_is_always_looked_at(tmp_path: Path) -> None:
    path, memory = aged(tmp_path / "a.pdf", b"one"), tmp_path / "digests"
    file_digest(path, memory)
    assert file_digest(aged(path, b"two"), memory) == hashlib.sha256(b"two").hexdigest()
    assert not memory.exists()


def test_a_file_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(LARGE)
    file_digest(path, tmp_path / "digests")
    assert not (tmp_path / "digests").exists()


@pytest.mark.parametrize("note", ["", "[]", "[1, 2, 3, 4]", "null", '{"a": 1}'])
def test_a_broken_memory_costs_only_time(tmp_path: Path, note: str) -> None:
    path, memory = aged(tmp_path / "a.pdf", LARGE), tmp_path / "digests"
    file_digest(path, memory)
    [kept] = memory.iterdir()
    kept.write_text(note)
    assert file_digest(path, memory) == hashlib.sha256(LARGE).hexdigest()


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="cannot be read"):
        file_digest(tmp_path / "gone.pdf", tmp_path)
