"""What INPUT… and the suffix of OUT mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_running import draw_page

from enlarger.cli.inputs import expand, format_of
from enlarger.errors import InputError


def test_patterns_become_what_they_match_in_natural_order(tmp_path: Path) -> None:
    pages = [draw_page(tmp_path / f"页 {number}.png") for number in (10, 2, 1)]
    assert expand([tmp_path / "*.png"]) == tuple(reversed(pages))


def test_a_path_that_exists_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "[Group] Title"
    folder.mkdir()
    assert expand([folder]) == (folder,)


def test_a_path_named_twice_counts_once(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.png")
    assert expand([page, tmp_path / "*.png"]) == (page,)


def test_a_pattern_without_a_match_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\*\.png: nothing matches"):
        expand([tmp_path / "*.png"])


def test_a_plain_path_that_is_missing_is_left_to_the_errands(tmp_path: Path) -> None:
    assert expand([tmp_path / "no.png"]) == (tmp_path / "no.png",)


def test_the_suffix_of_one_picture_decides(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.png")
    (tmp_path / "dir.png").mkdir()
    assert format_of(tmp_path / "b.WEBP", [page]) == "webp"
    assert format_of(tmp_path / "b.jfif", [page]) == "jpeg"
    assert format_of(tmp_path / "b", [page]) is None
    assert format_of(tmp_path / "dir.png", [page]) is None
    assert format_of(None, [page]) is None


def test_for_books_and_several_pictures_out_is_a_folder(tmp_path: Path) -> None:
    page = draw_page(tmp_path / "book" / "a.png")
    assert format_of(tmp_path / "b.webp", [page.parent]) is None
    assert format_of(tmp_path / "b.webp", [page, page]) is None
