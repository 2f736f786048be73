"""Listing: which pages a source has, and what each is called in the output."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest
from fake_workers import recipe
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from enlarger.errors import BookError, PictureError
from enlarger.jobs import JobSource, NewPage, Submission
from enlarger.jobs.listing import list_pages


def folder(root: Path, *names: str) -> JobSource:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return JobSource("folder", root)


def pages_of(source: JobSource, only: tuple[str, ...] = (), **changes: str) -> list[NewPage]:
    return list_pages(Submission(source, recipe(**changes), only=only))


def jpegs(source: JobSource) -> dict[str, str]:
    """Output names by page, where JPEG was asked for."""
    return {page.name: page.targets[".jpg"] for page in pages_of(source, format="jpeg")}


def test_pages_come_in_reading_order_and_keep_their_folders(tmp_path: Path) -> None:
    source = folder(tmp_path / "book", "page10.png", "page2.webp", "b/1.jpg", "manifest.json", "ComicInfo.xml")
    assert list(jpegs(source).items()) == [
        ("b/1.jpg", "b/1.jpg"),
        ("page2.webp", "page2.jpg"),
        ("page10.png", "page10.jpg"),
    ]


def test_a_clash_keeps_the_source_s_suffix(tmp_path: Path) -> None:
    source = folder(tmp_path / "book", "a.png", "a.webp", "b.png", "x/a.png")
    assert jpegs(source) == {"a.png": "a.png.jpg", "a.webp": "a.webp.jpg", "b.png": "b.jpg", "x/a.png": "x/a.jpg"}


def test_one_spelling_where_a_format_was_asked_for_and_else_the_picture_s_own(tmp_path: Path) -> None:
    source = folder(tmp_path / "book", "a.JPEG", "b.Png")
    assert jpegs(source) == {"a.JPEG": "a.jpg", "b.Png": "b.jpg"}
    same = {page.name: page.targets for page in pages_of(source)}
    assert (same["a.JPEG"][".jpg"], same["b.Png"][".png"]) == ("a.JPEG", "b.Png")


@limits(deadline=None)  # the first reads the catalogue
@given(st.sets(st.from_regex(r"[ab]{1,2}(/[ab])?\.(png|PNG|jpg|jpeg|webp)", fullmatch=True), min_size=1, max_size=8))
def test_no_two_pages_meet(names: set[str]) -> None:
    from enlarger.books import OutputNames
    from enlarger.jobs.listing import _SUFFIXES, _targets

    plan = OutputNames.plan(names, _SUFFIXES)
    for made in (recipe(), recipe(format="jpeg")):
        targets = [target.casefold() for name in names for target in {*_targets(name, plan, made).values()}]
        assert len(set(targets)) == len(targets)


def test_a_member_that_the_book_refuses_is_a_failed_page(tmp_path: Path) -> None:
    path = tmp_path / "book.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2.png", b"x")
        archive.writestr("../1.png", b"x")
    failures = {page.name: page.failure for page in pages_of(JobSource("archive", path))}
    assert failures.keys() == {"2.png", "../1.png"}
    assert failures["2.png"] is None
    assert failures["../1.png"] is not None
    assert failures["../1.png"].code == "bad_book"


def test_a_picture_is_its_own_page(tmp_path: Path) -> None:
    folder(tmp_path, "one.webp")
    (page,) = pages_of(JobSource("picture", tmp_path / "one.webp"), format="png")
    assert (page.name, page.targets[".png"]) == ("one.webp", "one.png")


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BookError):
        pages_of(JobSource("folder", tmp_path / "missing"))
    with pytest.raises(BookError, match="no pictures"):
        pages_of(folder(tmp_path / "book", "notes.txt"))
    with pytest.raises(PictureError):
        pages_of(JobSource("picture", tmp_path / "missing.png"))


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_pages_asked_for_by_name_need_no_book(kind: Literal["folder", "archive"], tmp_path: Path) -> None:
    only = ("b/10.png", "a.webp", "b/2.png", "a.png", "a.png")
    pages = pages_of(JobSource(kind, tmp_path / "missing"), only, format="webp")
    assert [(page.name, page.targets[".webp"]) for page in pages] == [
        ("a.png", "a.png.webp"),
        ("a.webp", "a.webp"),
        ("b/2.png", "b/2.webp"),
        ("b/10.png", "b/10.webp"),
    ]


def test_a_picture_has_no_pages_to_choose_from(tmp_path: Path) -> None:
    folder(tmp_path, "one.png")
    (page,) = pages_of(JobSource("picture", tmp_path / "one.png"), ("other.png",))
    assert page.name == "one.png"


@limits(deadline=None)
@example(":../x.png")
@given(st.text(st.sampled_from("./\\:a\0"), max_size=8).map("{}/x.png".format))
def test_no_name_leads_out_of_the_output_s_folder(name: str) -> None:
    (page,) = pages_of(JobSource("folder", Path("/books/one")), (name, name))
    if page.failure is None:
        targets = [PurePosixPath(target) for target in page.targets.values()]
        assert not any(target.is_absolute() or ".." in target.parts for target in targets)
    else:
        assert (page.targets, page.failure.code) == ({}, "bad_book")
    assert pages_of(JobSource("folder", Path("/books/one")), ("../x.png",))[0].failure is not None
