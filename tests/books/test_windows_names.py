"""Names and paths as Windows and macOS take them, judged on any system."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zip_making import JPEG, write_folder, write_zip

from enlarger.books import (
    is_elsewhere,
    is_opened_as_named,
    open_book,
    output_names,
    portable_name,
    safe_name,
)
from enlarger.books.portable import MOST_NAME_BYTES, folded, short_name

DEVICES = ["con", "PRN", "Aux", "nul", "com0", "COM9", "com¹", "com²", "com³", "LPT¹", "lpt9", "CONIN$", "conout$"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("form", ["{}", "{}.png", "{}.tar.png", "{} .png", "{} ", "a/{}/1.png", "{}/1.png"])
def test_no_device_is_left_in_a_name(device: str, form: str) -> None:
    given_name = form.format(device)
    made = portable_name(given_name)
    assert made != given_name
    assert is_opened_as_named(PureWindowsPath(made))
    assert not is_opened_as_named(PureWindowsPath(given_name))


@pytest.mark.parametrize("name", ["console.png", "auxiliary/1.png", "com10.png", "com.png", "nul1.png", "1.con.png"])
def test_what_only_looks_like_a_device_stays(name: str) -> None:
    assert portable_name(name) == name
    assert is_opened_as_named(PureWindowsPath(name))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.", "a_"),
        ("a. .", "a___"),
        ("a /b.png", "a_/b.png"),
        ("...", "___"),
        ('<a>:"b"|?*.png', "_a___b____.png"),
        ("tab\tand\nline.png", "tab_and_line.png"),
        ("第1話 “?”.png", "第1話 “_”.png"),
    ],
)
def test_what_windows_forbids_or_drops_is_marked(name: str, made: str) -> None:
    assert portable_name(name) == made


@given(st.text(st.characters(blacklist_characters="/\\\0", blacklist_categories=["Cs"]), min_size=1, max_size=12))
def test_a_portable_name_is_opened_as_it_is_written_and_stays(name: str) -> None:
    made = portable_name(name)
    assert portable_name(made) == made
    assert is_opened_as_named(PureWindowsPath(made)) or made in (".", "..")


@pytest.mark.parametrize(
    "path",
    ["C:a.png", "c:", r"\a.png", "/a.png", "a.png:stream", "a.png::$DATA", r"b\a.png:s", "b/nul", r"b.\a.png", "a.png ",
     r"C:\b\com1.png", "a*.png", r"\\server\share\con"],
)  # fmt: skip
def test_paths_that_windows_takes_for_something_else_are_not_opened(path: str) -> None:
    assert not is_opened_as_named(PureWindowsPath(path))
    assert is_opened_as_named(PurePosixPath(path))


@pytest.mark.parametrize(
    "path", [r"a\b.png", "a/b.png", r"C:\a\b.png", "C:/a/b.png", r"\\server\share\a.png", r"\\?\C:\a.png", r".\a.png"]
)
def test_plain_paths_are_opened(path: str) -> None:
    assert is_opened_as_named(PureWindowsPath(path))


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (r"\\evil\share\a.png", True),
        ("//evil/share/a.png", True),
        (r"\\NAS\Manga\a.png", False),
        (r"\\nas\other\a.png", True),
        (r"\\.\pipe\a", True),
        (r"D:\a.png", False),
        ("a.png", False),
    ],
)
def test_other_machines_are_not_asked(path: str, answer: bool) -> None:
    folders = [PureWindowsPath(r"C:\storage"), PureWindowsPath(r"\\nas\manga\books")]
    assert is_elsewhere(PureWindowsPath(path), folders) is answer
    assert not is_elsewhere(PurePosixPath(path), [PurePosixPath("/storage")])


@pytest.mark.parametrize(
    "member",
    ["C:x.png", r"C:\x.png", "c:/x.png", r"\x.png", r"\\server\share\x.png", "//server/share/x.png", r"a\..\..\x.png",
     r"..\x.png", "a/..\\../x.png", r"\\?\C:\x.png"],
)  # fmt: skip
def test_members_that_lead_out_on_windows_have_no_name(member: str) -> None:
    assert safe_name(member) is None


@pytest.mark.parametrize(
    ("member", "name"),
    [(r"a\b/c.png", "a/b/c.png"), ("a//b\\\\c.png", "a/b/c.png"), (r".\a\.\b\c.png", "a/b/c.png"), ("a\\", "a")],
)
def test_mixed_slashes_are_one_path(member: str, name: str) -> None:
    assert safe_name(member) == name


# ---- an output on a disk that ignores case and composition ----


def test_an_archive_s_pages_get_names_that_windows_can_hold() -> None:
    names = ["con.png", "CON.jpg", "a?.png", "a*.png", "b./1.png", "b /1.png", "é.png", "e\u0301.png", "x.PNG", "X.png"]
    made = output_names(names, ".webp", portable=True)
    assert len({folded(name) for name in made.values()}) == len(names)
    assert all(is_opened_as_named(PureWindowsPath(name)) for name in made.values())


@pytest.mark.parametrize("letter", ["a", "é", "話", "😀"])
@pytest.mark.parametrize("deep", [False, True])
def test_long_names_are_cut_to_what_every_disk_takes(tmp_path, letter: str, deep: bool) -> None:
    long = [f"{letter * 300}{number}" for number in range(3)]
    names = [f"{name}/1.png" if deep else f"{name}.png" for name in long]
    made = output_names(names, ".webp")
    assert len(set(made.values())) == len(names)
    for name in made.values():
        assert name.endswith(".webp")
        assert all(len(part.encode()) <= MOST_NAME_BYTES for part in name.split("/"))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"fits")


@given(st.text(st.characters(blacklist_characters="/\0"), max_size=400))
def test_cutting_is_for_long_names_alone_and_cuts_once(name: str) -> None:
    made = short_name(name)
    assert short_name(made) == made
    if len(name.encode(errors="replace")) <= MOST_NAME_BYTES:
        assert made == name
    else:
        assert re.search(r"~[0-9a-f]{8}(\.[^.]*)?\Z", made)


def test_members_whose_names_no_disk_takes_are_read(tmp_path) -> None:
    long = f"{'長' * 200}.jpg"
    with open_book(write_zip(tmp_path / "a.cbz", {long: JPEG, f"con/{'x' * 300}/aux.jpg": JPEG})) as book:
        assert [book.read(page.name) for page in book.pages] == [JPEG, JPEG]
        made = output_names([page.name for page in book.pages], ".png", portable=True)
    assert write_folder(tmp_path / "out", dict.fromkeys(made.values(), JPEG)).is_dir()
