"""Renaming and deleting what is open elsewhere, and paths longer than Windows takes: tried on any system."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

import pytest

from enlarger.storage import PAUSES_S, drop_tree, insist, long_form, reachable, remove, remove_tree, rename

NO_TIME = (0.0, 0.0, 0.0)


def stubborn(times: int, error: OSError) -> tuple[Callable[[], str], list[int]]:
    """What fails so often, as a disk does while a scanner reads the file, and the list of its calls."""
    calls: list[int] = []

    def act() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise error
        return "done"

    return act, calls


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "in use"), OSError(errno.ENOTEMPTY, "not empty")])
def test_what_is_open_is_tried_again_until_it_is_not(error: OSError) -> None:
    act, calls = stubborn(3, error)
    assert insist(act, pauses_s=NO_TIME) == "done"
    assert len(calls) == 4


def test_it_ends_with_the_error_itself() -> None:
    act, calls = stubborn(99, PermissionError(errno.EACCES, "in use"))
    with pytest.raises(PermissionError):
        insist(act, pauses_s=NO_TIME)
    assert len(calls) == 4


@pytest.mark.parametrize("error", [FileNotFoundError(2, "gone"), FileExistsError(17, "there"), OSError(28, "full")])
def test_what_waiting_does_not_help_is_told_at_once(error: OSError) -> None:
    act, calls = stubborn(99, error)
    with pytest.raises(type(error)):
        insist(act, pauses_s=NO_TIME)
    assert len(calls) == 1


@pytest.mark.skipif(os.name == "nt", reason="there it is the other way")
def test_where_open_files_are_in_nobodys_way_nothing_is_waited_for() -> None:
    assert PAUSES_S == ()


def test_a_file_takes_the_place_of_another_and_goes(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    rename(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"new"
    for _ in range(2):  # the second time it is gone
        remove(tmp_path / "old")
    (tmp_path / "folder" / "below").mkdir(parents=True)
    for _ in range(2):
        remove_tree(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_of_what_nobody_misses_all_goes_but_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink, refused = os.unlink, []

    def refuse(path: str, **where: int) -> None:
        if Path(path).name == "open":
            refused.append(path)
            raise PermissionError(errno.EACCES, "in use")
        unlink(path, **where)

    for name in ("before", "open", "then"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / name).touch()
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        drop_tree(tmp_path / "folder", pauses_s=NO_TIME)
    assert len(refused) == len(NO_TIME) + 2  # it was waited for, and then all the rest was tried
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["open"]
    for _ in range(2):
        drop_tree(tmp_path / "folder")
        assert list(tmp_path.iterdir()) == []


DEEP = "\\".join(["volume of a manga with a long title"] * 9)


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (rf"C:\books\{DEEP}\1.png", rf"\\?\C:\books\{DEEP}\1.png"),
        (rf"\\nas\manga\{DEEP}\1.png", rf"\\?\UNC\nas\manga\{DEEP}\1.png"),
        (rf"\\?\C:\books\{DEEP}\1.png", rf"\\?\C:\books\{DEEP}\1.png"),
        (r"C:\books\1.png", r"C:\books\1.png"),
        (r"\\nas\manga\1.png", r"\\nas\manga\1.png"),
    ],
)
def test_long_paths_have_a_form_that_windows_takes(path: str, long: str) -> None:
    made = long_form(PureWindowsPath(path))
    assert str(made) == long
    assert made.is_absolute()
    assert long_form(made) == made


def test_a_tree_is_named_so_that_all_below_it_is_found() -> None:
    assert str(long_form(PureWindowsPath(r"C:\books"), deep=True)) == r"\\?\C:\books"
    made = reachable(Path("books"), deep=True, windows=True)  # of any system's absolute path
    assert str(PureWindowsPath(made)).startswith("\\\\?\\")


def test_elsewhere_a_path_is_itself(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["long name"] * 60)
    assert reachable(deep, windows=False) is deep
    assert reachable(tmp_path / "1.png", windows=True) == tmp_path / "1.png"
