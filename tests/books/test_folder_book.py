from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zip_making import JPEG, write_folder

from enlarger.books import Book, open_book
from enlarger.errors import BookError


def names(book: Book) -> list[str]:
    return [page.name for page in book.pages]


def only_problem(book: Book) -> str:
    (problem,) = book.problems
    assert problem.name in str(problem.error)
    assert str(book.path) in str(problem.error)
    assert problem.error.remedy
    return problem.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "volume", {"1.jpg": JPEG, "deep/2.jpg": JPEG})


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "3.jpg").symlink_to(tmp_path / "secret.jpg")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "deep/2.jpg"]
        assert only_problem(book) == "3.jpg"


def test_a_linked_folder_outside_is_refused(folder: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "volume beside", {"9.jpg": JPEG})  # its path starts with the book's
    (folder / "beside").symlink_to(tmp_path / "volume beside")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "deep/2.jpg"]
        assert only_problem(book) == "beside"


def test_a_link_inside_the_folder_is_a_page(folder: Path) -> None:
    (folder / "3.jpg").symlink_to("deep/2.jpg")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "3.jpg", "deep/2.jpg"]


def test_links_that_go_round_in_circles(folder: Path) -> None:
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "self.jpg").symlink_to("self.jpg")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "deep/2.jpg"]
        assert only_problem(book) == "self.jpg"


def test_a_book_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with open_book(tmp_path / "link") as book:
        assert names(book) == ["1.jpg", "deep/2.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "3.jpg")
    with open_book(folder) as book:
        assert only_problem(book) == "3.jpg"


def deny(monkeypatch: pytest.MonkeyPatch, denied: Path) -> None:
    """What chmod does for everybody but root, who may be the one running the tests."""
    scandir: Callable[..., Any] = os.scandir

    def guarded(path: str) -> Any:
        if Path(path) == denied:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)


def test_an_unreadable_subfolder_leaves_the_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, folder.resolve() / "deep")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg"]
        assert only_problem(book) == "deep"


def test_an_unreadable_folder_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, folder.resolve())
    with pytest.raises(BookError, match=r"volume.*Permission denied.*permissions"):
        open_book(folder)


def test_a_page_that_went_away(folder: Path) -> None:
    with open_book(folder) as book:
        (folder / "1.jpg").unlink()
        with pytest.raises(BookError, match=r"volume: 1\.jpg cannot be read"):
            book.read("1.jpg")
        assert book.read("deep/2.jpg") == JPEG


@pytest.mark.skipif(os.name != "posix", reason="only here are names bytes")
def test_names_that_were_unpacked_without_decoding(folder: Path) -> None:
    raw = os.fsencode(folder) + b"/" + "第一卷 封面.jpg".encode("gbk")
    try:
        Path(os.fsdecode(raw)).write_bytes(b"cover")
    except OSError:
        pytest.skip("this disk takes UTF-8 only")
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "deep/2.jpg", "第一卷 封面.jpg"]
        assert book.read("第一卷 封面.jpg") == b"cover"


@pytest.mark.skipif(os.name != "posix", reason="a separator elsewhere")
def test_a_backslash_in_a_name_becomes_a_separator(folder: Path) -> None:
    (folder / r"deep\3.jpg").write_bytes(JPEG)
    (folder / r"x\..\..\4.jpg").write_bytes(JPEG)
    with open_book(folder) as book:
        assert names(book) == ["1.jpg", "deep/2.jpg", "deep/3.jpg"]
        assert only_problem(book) == r"x\..\..\4.jpg"


# ---- only what lies in the folder directly ----


def test_a_folder_alone_has_its_own_files_and_no_others(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_bytes(b"a note")
    (folder / "linked").symlink_to(folder / "deep")
    (folder / "outside").symlink_to(tmp_path)  # a folder of its own: not of this book, so no problem of it
    (folder / "2.jpg").symlink_to("deep/2.jpg")
    (folder / "away.jpg").symlink_to(tmp_path / "secret.jpg")
    with open_book(folder, recursive=False) as book:
        assert (names(book), list(book.extras)) == (["1.jpg", "2.jpg"], ["notes.txt"])
        assert [problem.name for problem in book.problems] == ["away.jpg"]
        assert book.read("2.jpg") == JPEG
        assert book.size("1.jpg") == len(JPEG)


def test_a_folder_of_folders_alone_says_where_the_pictures_are(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shelf", {"deep/1.jpg": JPEG})
    with pytest.raises(BookError, match="holds no pictures") as caught:
        open_book(folder, recursive=False)
    assert "one of the folders" in str(caught.value.remedy)
