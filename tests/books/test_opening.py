from __future__ import annotations

import os
from pathlib import Path

import pytest
from zip_making import JPEG, raw_zip, write_folder, write_zip

from enlarger.books import looks_like_book, open_book
from enlarger.errors import BookError


def error_of(path: Path) -> str:
    with pytest.raises(BookError) as caught:
        open_book(path)
    assert str(path) in str(caught.value.message)
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.cbz", "a.zip", "a.cbr", "a.ZIP", "no suffix", "a.jpg"])
def test_content_decides_what_is_a_zip(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / name, {"1.jpg": JPEG})
    assert looks_like_book(path)
    with open_book(path) as book:
        assert book.read("1.jpg") == JPEG


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty (0 bytes)"),
        (JPEG, "is no archive that can be read"),
        (b"Rar!\x1a\x07\x00 and so on", "its directory is missing"),
        (b"7z\xbc\xaf\x27\x1c and so on", "its directory is missing"),
        (b"%PDF-1.7 and so on", "is no PDF that can be read"),
        (b"PK\x03\x04 and nothing after", "its directory is missing"),
        (raw_zip([]), "holds no pictures"),
    ],
)
def test_what_a_cbz_may_turn_out_to_be(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "volume.cbz"
    path.write_bytes(content)
    assert looks_like_book(path)  # by its suffix, so that a person is told what is wrong with it
    assert said in error_of(path)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert not looks_like_book(tmp_path / "missing")
    assert "cannot be read" in error_of(tmp_path / "missing.cbz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not looks_like_book(tmp_path / "pipe")
    assert "neither a file nor a folder" in error_of(tmp_path / "pipe")


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "holds no pictures" in error_of(write_folder(tmp_path / "empty", {}))


def test_folders_look_like_books_and_pictures_do_not(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(JPEG)
    assert looks_like_book(tmp_path)
    assert not looks_like_book(tmp_path / "1.jpg")
