from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.books import OutputNames, output_names, portable_name
from enlarger.books.portable import folded

# a few stems and suffixes only, so that they meet in every way
PARTS = st.sampled_from(["a", "A", "é", "e\u0301", "a.png", "a~2", "b.jpg", "con", "x?", "第1話"])
SUFFIXES = st.sampled_from([".png", ".jpg", ".webp", ".PNG", ".webp.png", ""])
NAMES = st.builds(
    lambda folders, stem, suffix: "/".join([*folders, stem + suffix]), st.lists(PARTS, max_size=2), PARTS, SUFFIXES
)
BOOKS = st.lists(NAMES, max_size=12, unique=True)
OUTPUTS = [".webp", ".png", ".jpg"]


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        (["第1話/001.jpg"], ["第1話/001.webp"]),
        (["a.png", "a.jpg"], ["a.png.webp", "a.jpg.webp"]),
        (["a.png", "a.webp"], ["a.png.webp", "a.webp"]),
        (["a/1.png", "b/1.jpg"], ["a/1.webp", "b/1.webp"]),
        (["A.png", "a.jpg"], ["A.png.webp", "a.jpg.webp"]),
        (["é.png", "e\u0301.jpg"], ["é.png.webp", "e\u0301.jpg.webp"]),
        (["A.png", "a.png"], ["A.png.webp", "a~2.png.webp"]),
        (["a.png", "a.jpg", "a.png.jpg"], ["a.png.webp", "a.jpg.webp", "a.png.jpg.webp"]),
        (["a.png", "a.webp/1.png"], ["a.png.webp", "a.webp/1.webp"]),
    ],
)
def test_names_of_pages_that_meet(names: list[str], outputs: list[str]) -> None:
    assert list(output_names(names, ".webp").values()) == outputs


@given(BOOKS, st.sampled_from([*OUTPUTS, ""]), st.booleans())
def test_never_two_pages_to_one_name(names: list[str], suffix: str, portable: bool) -> None:
    outputs = output_names(names, suffix, portable=portable)
    assert list(outputs) == names
    assert len({folded(output) for output in outputs.values()}) == len(names)


@given(BOOKS, st.data())
def test_names_planned_before_the_suffixes_are_known_never_meet(names: list[str], data: st.DataObject) -> None:
    plan = OutputNames.plan(names, OUTPUTS)
    chosen = {name: data.draw(st.sampled_from([*OUTPUTS, own_suffix(name)])) for name in names}
    outputs = [plan.name(name, suffix) for name, suffix in chosen.items()]
    assert len(set(map(folded, outputs))) == len(names)


def own_suffix(name: str) -> str:
    found = re.search(r"(?<=[^/])\.[^./]+$", name)
    return found[0] if found else ""


@given(BOOKS)
def test_the_order_of_pages_does_not_matter(names: list[str]) -> None:
    assert output_names(names, ".webp") == output_names(names[::-1], ".webp")


@given(BOOKS, st.sampled_from(OUTPUTS))
def test_folders_are_kept_and_the_suffix_is_given(names: list[str], suffix: str) -> None:
    for name, output in output_names(names, suffix, portable=False).items():
        assert folder_of(output) == folder_of(name)
        assert output.lower().endswith(suffix)


@given(BOOKS)
def test_no_page_takes_the_name_of_a_folder(names: list[str]) -> None:
    outputs = {folded(output) for output in output_names(names, ".webp", portable=False).values()}
    assert not outputs & {folded(folder_of(name)) for name in names}


def test_each_page_may_have_its_own_suffix() -> None:
    assert output_names(["a.png", "b.png", "c.gif"], {"a.png": ".webp", "b.png": ".png", "c.gif": ""}) == {
        "a.png": "a.webp",
        "b.png": "b.png",
        "c.gif": "c.gif",
    }


def test_pages_that_keep_their_suffix_keep_their_name() -> None:
    names = ["a.png", "a.jpg", "A.webp"]
    assert output_names(names, "") == dict(zip(names, names, strict=True))


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("第1話/001.jpg", "第1話/001.jpg"),
        ('who? "me": <1>|2*.png', "who_ _me__ _1__2_.png"),
        ("con/aux.jpg", "con_/aux_.jpg"),
        ("COM1.tar.png", "COM1_.tar.png"),
        ("console/1.jpg", "console/1.jpg"),
        ("Vol. 1./1.jpg ", "Vol. 1_/1.jpg_"),
    ],
)
def test_what_windows_cannot_hold_is_replaced(name: str, portable: str) -> None:
    assert portable_name(name) == portable
    assert portable_name(portable) == portable
