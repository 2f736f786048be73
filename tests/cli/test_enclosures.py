"""Files sent along: named as they lie, one open at a time, counted as they go."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from enlarger.cli.enclosures import Enclosure, enclosed
from enlarger.errors import InputError


def ignore(_size_bytes: int) -> None:
    pass


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("page 10.png", "page 2.png", "sub/page 1.jpg", "notes.txt"):
        path = tmp_path / "book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "book"


def test_a_folder_gives_its_pages_in_natural_order(folder: Path) -> None:
    assert [each.name for each in enclosed(folder, ignore)] == ["page 2.png", "page 10.png", "sub/page 1.jpg"]


def test_a_file_gives_itself(folder: Path) -> None:
    assert [each.name for each in enclosed(folder / "page 2.png", ignore)] == ["page 2.png"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures"):
        enclosed(tmp_path, ignore)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png"):
        enclosed(tmp_path / "gone.png", ignore)


def test_a_form_streams_them_with_their_length(folder: Path) -> None:
    sent: list[int] = []
    files = enclosed(folder, sent.append)
    request = httpx.Request("POST", "http://x", files=[("files", (file.name, file)) for file in files])
    assert int(request.headers["content-length"]) == len(body := b"".join(request.stream))  # type: ignore[arg-type]
    for name in (b"page 10.png", b"page 2.png", b"sub/page 1.jpg"):
        assert body.count(name) == 2  # as a file's name and as its content
    assert sum(sent) == sum(file.bytes for file in files)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted where /proc shows them")
def test_none_is_open_before_or_after_it_is_read(folder: Path) -> None:
    before = open_files()
    files = enclosed(folder, ignore)
    assert open_files() == before
    for file in files:
        while file.read(3):
            pass
    assert open_files() == before


def test_it_can_be_read_again(folder: Path) -> None:
    file = Enclosure(folder / "page 2.png", "page 2.png")
    assert file.read() == b"page 2.png"
    assert file.seek(0, os.SEEK_END) == file.bytes == 10
    assert file.seek(0) == file.tell() == 0
    assert file.read(4) == b"page"
    file.seek(0)
    assert file.read() == b"page 2.png"
    file.seek(0)
