"""Pages as they are, their tags and types, and what is made small or showable of them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from enlarger.errors import PictureError, UnknownBookError
from enlarger.reader import is_shown_by_browsers, media_type_of
from enlarger.reader.shelf_thumbnails import Thumbnails, thumbnail_tag
from shelf_making import Place, picture, write_archive


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def test_bytes_are_those_of_the_book(place: Place) -> None:
    pages = {"1.png": picture(), "2.png": b"no picture at all"}
    book = place.book("b.cbz", pages)
    assert [place.shelf.read(place.shelf.page(book, index)) for index in (0, 1)] == list(pages.values())
    for index in (2, -1):
        with pytest.raises(UnknownBookError):
            place.shelf.page(book, index)


def test_the_tag_changes_with_the_page_alone(place: Place) -> None:
    book = place.book("b.cbz", {"1.png": picture(), "2.png": picture()})
    tags = [place.shelf.page(book, index).tag for index in (0, 1)]
    assert tags[0] != tags[1]
    assert place.shelf.page(book, 0).tag == tags[0]
    write_archive(place.incoming / "b.cbz", {"1.png": picture(colour=7), "2.png": picture()})
    assert place.shelf.page(book, 0).tag != tags[0]
    assert place.shelf.read(place.shelf.page(book, 0)) == picture(colour=7)


def test_a_file_that_is_written_over_has_another_tag(place: Place) -> None:
    folder = place.made("storage/incoming/b", ["1.png"])
    book = place.shelf.id_of(folder)
    before = place.shelf.page(book, 0)
    (folder / "1.png").write_bytes(picture())
    os.utime(folder / "1.png", (5, 5))
    after = place.shelf.page(book, 0)
    assert (before.name, before.tag == after.tag) == (after.name, False)
    assert place.shelf.read(after) == picture()


def test_files_alike_in_name_size_and_time_have_tags_of_their_own(place: Place) -> None:
    tags = set()
    for name, colour in (("a", 1), ("b", 2)):
        folder = place.made(f"storage/incoming/{name}", [])
        (folder / "1.png").write_bytes(b"same size %d" % colour)
        os.utime(folder / "1.png", (5, 5))
        tags.add(place.shelf.page(place.shelf.id_of(folder), 0).tag)
    assert len(tags) == 2


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff"])
def test_the_type_is_what_the_bytes_say(kind: str) -> None:
    data = picture(kind=kind.upper())
    assert media_type_of(data) == f"image/{kind}"
    assert is_shown_by_browsers(media_type_of(data)) == (kind != "tiff")


@pytest.mark.parametrize("data", [b"", b"<svg onload='alert(1)'/>", b"<html>", b"RIFF0000WAVE"])
def test_what_is_no_picture_gets_no_type_that_runs(data: bytes) -> None:
    assert media_type_of(data) == "application/octet-stream"


def test_a_thumbnail_is_small_and_kept(place: Place) -> None:
    book = place.book("b.cbz", {"1.jpg": picture(800, 1200, "JPEG")})
    page = place.shelf.page(book, 0)
    first = place.shelf.thumbnail(page, 200)
    with Image.open(io.BytesIO(first)) as image:
        assert (image.format, image.size) == ("WEBP", (240, 360))
    files = [file for file in (place.settings.cache_dir / "thumbnails").glob("??/*") if file.is_file()]
    assert [file.read_bytes() for file in files] == [first]
    files[0].write_bytes(b"kept")
    assert place.shelf.thumbnail(page, 240) == b"kept"  # one for all widths up to it
    files[0].write_bytes(b"")  # a crash right after it was written
    assert place.shelf.thumbnail(page, 240) == first


def test_a_strip_is_shown_whole(place: Place) -> None:
    page = place.shelf.page(place.book("b.cbz", {"1.png": picture(100, 4000)}), 0)
    with Image.open(io.BytesIO(place.shelf.thumbnail(page, 160))) as image:
        assert image.size == (12, 480)


def test_a_broken_page_has_no_thumbnail(place: Place) -> None:
    page = place.shelf.page(place.book("b.cbz", {"1.jpg": b"\xff\xd8\xff broken"}), 0)
    with pytest.raises(PictureError, match=r"1\.jpg"):
        place.shelf.thumbnail(page, 160)


def test_a_huge_page_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, 0.001)
    for kind in ("JPEG", "PNG"):
        with pytest.raises(PictureError, match="megapixels"):
            thumbnails.thumbnail("tag" + kind, 160, name="1", read=lambda kind=kind: picture(50, 50, kind))


def test_thumbnails_have_a_bound_and_those_used_last_stay(tmp_path: Path) -> None:
    size = len(Thumbnails(tmp_path / "one", 1).thumbnail("ab", 160, name="1", read=picture))
    thumbnails = Thumbnails(tmp_path / "many", 1, most_bytes=size * 10)
    tags = [thumbnail_tag(f"page {number}", 160) for number in range(30)]
    for number, tag in enumerate(tags):
        thumbnails.thumbnail(tag, 160, name="1", read=picture)
        os.utime(tmp_path / "many" / tag[:2] / tag, (number, number))
    kept = [tag for tag in tags if (tmp_path / "many" / tag[:2] / tag).exists()]
    assert 5 <= len(kept) <= 10
    assert kept == tags[-len(kept) :]


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    thumbnails = Thumbnails(tmp_path / "file" / "below", 1)
    assert thumbnails.thumbnail("ab", 160, name="1", read=picture)[8:12] == b"WEBP"
