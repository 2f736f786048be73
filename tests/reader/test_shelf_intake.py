"""Uploads take their places: never over what is there, whole, and once however often they are sent."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from enlarger.errors import InputError
from enlarger.reader import Arrived
from enlarger.reader.shelf_intake import Intake
from shelf_making import Place, picture


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def received(place: Place, files: Mapping[str, bytes]) -> tuple[Path, list[Arrived]]:
    folder = place.shelf.begin_upload()
    arrived = []
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        arrived.append(Arrived(name, path, hashlib.sha256(data).hexdigest()))
    return folder, arrived


def taken(place: Place, files: Mapping[str, bytes]) -> list[str]:
    """The titles of what came of an upload."""
    folder, arrived = received(place, files)
    items = place.shelf.take_in(folder, arrived)
    shutil.rmtree(folder, ignore_errors=True)
    return [f"{item.kind} {item.title}" for item in items]


def there(place: Place) -> dict[str, bytes]:
    files = (path for path in sorted(place.incoming.rglob("*")) if path.is_file())
    return {path.relative_to(place.incoming).as_posix(): path.read_bytes() for path in files}


def test_folders_archives_and_pictures_find_their_places(place: Place) -> None:
    files = {"卷一/1.png": b"a", "卷一/2.png": b"b", "b.cbz": b"c", "series/x/1.png": b"d", "loose.png": b"e"}
    assert taken(place, files) == ["book 卷一", "book b", "group series", "book incoming"]
    assert there(place) == files


def test_nothing_is_written_over(place: Place) -> None:
    taken(place, {"b.cbz": b"old", "v/1.png": b"old", "1.png": b"old"})
    new = {"b.cbz": b"new", "v/1.png": b"new", "1.png": b"new"}
    assert taken(place, new) == ["book b (2)", "book v (2)", "book incoming"]
    assert taken(place, {"b.cbz": b"newer"}) == ["book b (3)"]
    assert there(place) == {
        "b.cbz": b"old",
        "b (2).cbz": b"new",
        "b (3).cbz": b"newer",
        "v/1.png": b"old",
        "v (2)/1.png": b"new",
        "1.png": b"old",
        "1 (2).png": b"new",
    }


def test_an_upload_that_is_sent_again_changes_nothing(place: Place) -> None:
    files = {"b.cbz": b"c", "v/1.png": b"a", "v/2.png": b"b", "1.png": b"d"}
    first = taken(place, files)
    before = {path: path.stat().st_mtime_ns for path in place.incoming.rglob("*")}
    assert taken(place, files) == first
    assert {path: path.stat().st_mtime_ns for path in place.incoming.rglob("*") if path in before} == before
    assert there(place) == files


def test_part_of_a_folder_again_is_another_folder_only_if_it_differs(place: Place) -> None:
    taken(place, {"v/1.png": b"a", "v/2.png": b"b"})
    assert taken(place, {"v/2.png": b"b"}) == ["book v"]
    assert taken(place, {"v/2.png": b"B"}) == ["book v (2)"]


def test_a_folder_in_the_way_of_a_file_stays(place: Place) -> None:
    place.made("storage/incoming/b.cbz")
    assert taken(place, {"b.cbz": b"x"}) == ["book b (2)"]
    (place.incoming / "v").write_bytes(b"a file")
    assert taken(place, {"v/1.png": b"x"}) == ["book v (2)"]
    assert (place.incoming / "v").read_bytes() == b"a file"


def test_an_empty_folder_in_the_way_is_left_alone(place: Place) -> None:
    place.made("storage/incoming/v", [])
    assert taken(place, {"v/1.png": b"x"}) == ["book v (2)"]
    assert list((place.incoming / "v").iterdir()) == []


@pytest.mark.parametrize("names", [["a.txt"], [".hidden/1.png"], ["__MACOSX/b.cbz", "Thumbs.db"], []])
def test_what_is_nothing_to_read_is_refused(place: Place, names: list[str]) -> None:
    with pytest.raises(InputError):
        taken(place, dict.fromkeys(names, b"x"))
    assert [path for path in place.incoming.iterdir() if not path.name.startswith(".")] == []


def test_without_hard_links_it_works_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    assert taken(place, {"b.cbz": b"one"}) == ["book b"]
    assert taken(place, {"b.cbz": b"two"}) == ["book b (2)"]
    assert there(place) == {"b.cbz": b"one", "b (2).cbz": b"two"}


def test_an_upload_being_received_is_not_on_the_shelf(place: Place) -> None:
    received(place, {"b.cbz": picture(), "v/1.png": picture()})
    assert place.shelf.items() == ([], "")


def test_what_a_killed_server_left_is_swept_and_what_is_young_is_not(place: Place) -> None:
    old, _ = received(place, {"a.cbz": b"x"})
    young, _ = received(place, {"b.cbz": b"x"})
    os.utime(old, (1, 1))
    Intake(place.incoming).begin()
    assert (old.exists(), young.exists()) == (False, True)
