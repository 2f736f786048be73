"""Where a worker reads its pages: books stay open while they are the same."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZipFile

import pytest
from fake_workers import page_file

from enlarger.errors import BookError, PictureError
from enlarger.jobs import JobSource
from enlarger.jobs.page_sources import PageSources


def make_archive(path: Path, text: bytes) -> JobSource:
    temporary = path.with_suffix(".new")
    with ZipFile(temporary, "w") as archive:
        archive.writestr("1.png", text)
    temporary.replace(path)
    return JobSource("archive", path)


def test_an_archive_is_opened_once_for_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from enlarger.jobs import page_sources

    opened: list[Path] = []
    original = page_sources.open_book
    monkeypatch.setattr(page_sources, "open_book", lambda path, **how: (opened.append(path), original(path, **how))[1])
    book, sources = make_archive(tmp_path / "a.cbz", b"first"), PageSources()
    assert [sources.page(book, "1.png").read() for _ in range(3)] == [b"first"] * 3
    assert len(opened) == 1
    sources.close()


def test_an_archive_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    sources = PageSources()
    for text in (b"first", b"second"):
        book = make_archive(tmp_path / "a.cbz", text)
        assert sources.page(book, "1.png").read() == text
    sources.close()


def test_a_closed_book_can_be_taken_away_and_asked_for_again(tmp_path: Path) -> None:
    sources, book = PageSources(), make_archive(tmp_path / "a.cbz", b"first")
    sources.page(book, "1.png")
    sources.close()
    os.unlink(tmp_path / "a.cbz")  # noqa: PTH108 - as Windows would refuse it for an open file
    with pytest.raises(BookError, match=r"a\.cbz"):
        sources.page(book, "1.png")
    make_archive(tmp_path / "a.cbz", b"again")
    assert sources.page(book, "1.png").read() == b"again"
    sources.close()


def test_a_picture_is_known_by_the_name_for_people(tmp_path: Path) -> None:
    path = page_file(tmp_path)
    source = PageSources().page(JobSource("picture", path), "cover.png")
    assert (source.name, source.read()) == ("cover.png", path.read_bytes())
    with pytest.raises(PictureError):
        PageSources().page(JobSource("picture", tmp_path / "missing.png"), "cover.png").read()
