"""What the shelf stands on, and that no id leads anywhere else."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.errors import InputError, UnknownBookError
from enlarger.reader import Shelf
from enlarger.reader.shelf_ids import book_id_of, parse_book_id
from shelf_making import Place, write_archive


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "allowed").mkdir()
    place = Place(tmp_path, allowed_dirs=str(tmp_path / "allowed"))
    yield place
    place.close()


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_the_servers_own_folders_are_roots_from_the_start(place: Place) -> None:
    roots = place.shelf.roots()
    assert [(root.id, root.name, root.removable, root.is_here) for root in roots] == [
        ("incoming", "incoming", False, True),
        (roots[1].id, "allowed", False, True),
    ]
    assert len(roots[1].id) == 10


def test_an_added_folder_stays_until_it_is_removed(place: Place) -> None:
    folder = place.made("manga/全集")
    root = place.shelf.add_root(str(folder))
    assert place.shelf.add_root(f"{folder}/../全集/") == root
    assert Shelf(place.settings, place.store).roots()[-1] == root
    assert (root.name, root.removable) == ("全集", True)
    place.shelf.remove_root(root.id)
    assert root not in place.shelf.roots()
    assert folder.is_dir()


def test_an_archive_can_be_a_root(place: Place) -> None:
    archive = write_archive(place.folder / "one.cbz", {"1.jpg": b"x"})
    root = place.shelf.add_root(str(archive))
    assert place.shelf.locate(book_id_of(root.id, "")) == archive
    with pytest.raises(UnknownBookError):
        place.shelf.locate(book_id_of(root.id, "1.jpg"))


def test_a_folder_inside_another_root_may_be_added(place: Place) -> None:
    inner = place.made("allowed/inner")
    root = place.shelf.add_root(str(inner))
    assert place.shelf.locate(book_id_of(root.id, "")) == inner
    assert place.shelf.locate(place.shelf.id_of(inner)) == inner


def test_a_root_that_is_gone_is_told_so(place: Place) -> None:
    folder = place.made("stick")
    root = place.shelf.add_root(str(folder))
    (folder / "1.jpg").unlink()
    folder.rmdir()
    assert not place.shelf.roots()[-1].is_here
    with pytest.raises(UnknownBookError):
        place.shelf.locate(book_id_of(root.id, ""))


def test_what_the_settings_name_cannot_be_removed(place: Place) -> None:
    with pytest.raises(InputError, match="settings"):
        place.shelf.remove_root("incoming")
    with pytest.raises(UnknownBookError):
        place.shelf.remove_root("0123456789")


@pytest.mark.parametrize("path", ["/", "//", "/etc", "/proc/self", "/usr", "/dev", "/tmp/..", "/var"])
@pytest.mark.skipif(os.name == "nt", reason="names of other systems")
def test_the_system_is_not_for_the_shelf(place: Place, path: str) -> None:
    with pytest.raises(InputError) as caught:
        place.shelf.add_root(path)
    assert "system" in str(caught.value.message)
    assert caught.value.remedy is not None


def test_a_link_to_the_system_is_not_for_the_shelf_either(place: Place) -> None:
    link = place.folder / "link"
    link.symlink_to("/")
    with pytest.raises(InputError, match="system"):
        place.shelf.add_root(str(link))


@pytest.mark.parametrize(
    "path", ["", "manga", "../manga", "a\0b", "/no/such/folder", "/no\0thing", "\ud800", "~nobody-here/x"]
)
def test_a_path_that_leads_nowhere_is_refused(place: Place, path: str) -> None:
    with pytest.raises(InputError) as caught:
        place.shelf.add_root(path)
    str(caught.value).encode()


def test_a_file_that_is_no_archive_is_refused(place: Place) -> None:
    file = place.folder / "note.txt"
    file.write_text("x")
    with pytest.raises(InputError, match="neither a folder nor an archive"):
        place.shelf.add_root(str(file))


@pytest.mark.parametrize(
    "text",
    [
        "incoming:..",
        "incoming:../ledger.sqlite",
        "incoming:a/../../x",
        "incoming:/etc/passwd",
        "incoming:./a",
        "incoming:a//b",
        "incoming:a/",
        "incoming:.hidden",
        "incoming:a/.enlarger-1",
        "incoming:a\0b",
        "incoming:nothing here",
        "incoming",
        ":",
        "",
        "0123456789:a",
        "incoming:" + "a" * 5000,
        "incoming:" + "a/" * 1000 + "a",
    ],
)
def test_hostile_ids_are_unknown_books(place: Place, text: str) -> None:
    (place.incoming / ".hidden").mkdir()
    with pytest.raises(UnknownBookError):
        place.shelf.locate(coded(text))


@pytest.mark.parametrize(
    "book_id", ["=", "a", "aW5jb21pbmc6=", "aW5jb21pbmc6\n", "aW5jb21pbmc 6", "ÿ", "+/", "_w", "a" * 9000]
)
def test_what_is_no_id_is_an_unknown_book(place: Place, book_id: str) -> None:
    with pytest.raises(UnknownBookError):
        place.shelf.locate(book_id)


@given(st.text(max_size=40))
def test_any_text_as_an_id_is_unknown_or_comes_back(text: str) -> None:
    try:
        root_id, relative = parse_book_id(text)
    except UnknownBookError:
        return
    assert book_id_of(root_id, relative) == text


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), max_size=4))
def test_ids_hold_any_name(parts: list[str]) -> None:
    relative = "/".join(parts)
    try:
        assert parse_book_id(book_id_of("incoming", relative)) == ("incoming", relative)
    except UnknownBookError:
        assert any(part.startswith(".") or part.lower() in ("thumbs.db", "desktop.ini") for part in parts)


@pytest.mark.parametrize("name", ["卷 01", "第1話 😀", "a:b", "a%2Fb", "日本語/話"])
def test_unicode_names_are_found(place: Place, name: str) -> None:
    folder = place.incoming / name
    folder.mkdir(parents=True)
    assert place.shelf.id_of(folder) == coded(f"incoming:{name}")
    assert place.shelf.locate(place.shelf.id_of(folder)) == folder


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_utf8_is_found(place: Place) -> None:
    folder = place.incoming / os.fsdecode(b"\x8f\xac\xff")
    folder.mkdir()
    assert place.shelf.locate(place.shelf.id_of(folder)) == folder


def test_links_may_not_lead_out(place: Place) -> None:
    outside = place.made("outside/book")
    (place.incoming / "out").symlink_to(outside)
    (place.incoming / "up").symlink_to(place.folder)
    (place.incoming / "circle").symlink_to(place.incoming / "circle")
    for name in ("out", "out/1.jpg", "up/storage", "up/storage/reader.sqlite", "circle"):
        with pytest.raises(UnknownBookError):
            place.shelf.locate(coded(f"incoming:{name}"))


def test_links_may_lead_to_what_the_settings_allow(place: Place) -> None:
    book = place.made("allowed/book")
    (place.incoming / "book").symlink_to(book)
    assert place.shelf.locate(coded("incoming:book")) == place.incoming / "book"


def test_what_lies_outside_has_no_id(place: Place) -> None:
    with pytest.raises(UnknownBookError):
        place.shelf.id_of(place.folder / "storage" / "ledger.sqlite")
    with pytest.raises(UnknownBookError):
        place.shelf.id_of(place.folder / "storage" / "incoming2")
