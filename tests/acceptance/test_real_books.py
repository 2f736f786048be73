"""Books through the real command: trees, archives in archives' places, names, formats, and runs after the first."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from page_files import encoded, opened, page, write, write_pages, write_zip
from real_command import Command, leftovers, tree

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_COMIC_INFO = """<?xml version="1.0" encoding="utf-8"?>
<ComicInfo><Title>月光</Title><Pages>
 <Page Image="0" ImageWidth="60" ImageHeight="80" ImageSize="1"/>
 <Page Image="1" ImageWidth="80" ImageHeight="60" Type="Story" />
</Pages></ComicInfo>"""


def legacy_zip(path: Path, names: dict[str, bytes]) -> Path:
    """A zip as old Chinese Windows programs wrote it: GBK names, not marked as UTF-8."""
    data = write_zip(path, {f"{number:02}".ljust(len(name.encode("gbk")), "x"): page_data
                            for number, (name, page_data) in enumerate(names.items())}).read_bytes()  # fmt: skip
    for number, name in enumerate(names):
        raw = name.encode("gbk")
        data = data.replace(f"{number:02}".ljust(len(raw), "x").encode(), raw)
    return write(path, data)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder as people keep them."""
    folder = tmp_path / "漫画 [汉化组]"
    write(folder / "第10话" / "1.png", page(1))
    write(folder / "第2话" / "page.png", page(2))
    write(folder / "第2话" / "page.jpg", page(3, kind="JPEG"))
    write(folder / "cover.jpeg", page(4, kind="JPEG"))
    write(folder / "notes.txt", b"kept as it is")
    members = {"b/002.png": page(6, 80, 60), "b/001.png": page(5), "ComicInfo.xml": _COMIC_INFO.encode()}
    write_zip(folder / "单行本" / "vol 1.cbz", members)
    legacy_zip(folder / "旧" / "旧档.zip", {"第一页.png": page(7), "第二页.png": page(8)})
    return folder


def test_a_library_with_everything_in_it(enlarger: Command, library: Path, tmp_path: Path) -> None:
    done = enlarger.upscale(library, "--json")
    assert done.code == 0, done.err
    assert done.totals["computed"] == 8
    out = library.with_name(f"{library.name}_2x")
    result = tree(out)
    pictures = {"第10话/1.png", "第2话/page.png", "第2话/page.jpg", "cover.jpeg"}
    assert result.keys() == pictures | {"notes.txt", "单行本/vol 1.cbz", "旧/旧档.cbz"}
    assert result["notes.txt"] == b"kept as it is"
    for name in pictures:
        assert opened(result[name]).size == (120, 160)
        assert opened(result[name]).format == ("PNG" if name.endswith(".png") else "JPEG")
    _check_volume(result["单行本/vol 1.cbz"])
    with zipfile.ZipFile(io.BytesIO(result["旧/旧档.cbz"])) as archive:
        assert archive.namelist() == ["第一页.png", "第二页.png"]
    assert leftovers(out, enlarger.cache_dir) == []
    _nothing_is_computed_again(enlarger, library, result)


def _check_volume(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["b/001.png", "b/002.png", "ComicInfo.xml"]
        assert archive.testzip() is None
        first = archive.read("b/001.png")
        info = archive.read("ComicInfo.xml").decode()
    assert opened(first).size == (120, 160)
    assert f'<Page Image="0" ImageWidth="120" ImageHeight="160" ImageSize="{len(first)}"/>' in info
    assert '<Page Image="1" ImageWidth="160" ImageHeight="120" Type="Story" />' in info
    assert "<Title>月光</Title>" in info


def _nothing_is_computed_again(enlarger: Command, library: Path, result: dict[str, bytes]) -> None:
    """Everything is kept; a page that was changed, and one that is gone, are made anew."""
    out = library.with_name(f"{library.name}_2x")
    again = enlarger.upscale(library, "--json")
    assert again.totals == {"computed": 0, "cached": 0, "kept": 8, "failed": 0}
    assert all(one["status"] == "kept" for one in again.pages.values())
    (out / "cover.jpeg").unlink()
    write(library / "第10话" / "1.png", page(11))
    third = enlarger.upscale(library, "--json")
    assert third.totals == {"computed": 1, "cached": 1, "kept": 6, "failed": 0}
    changed = {name for name, data in tree(out).items() if data != result[name]}
    assert changed == {"第10话/1.png"}


def test_results_survive_a_cache_that_is_deleted(enlarger: Command, other: Command, tmp_path: Path) -> None:
    """The cache never holds the only copy; without it, the same command computes again, to the same bytes."""
    book = write_pages(tmp_path / "book", 2)
    enlarger.upscale(book)
    before = tree(tmp_path / "book_2x")
    assert other.upscale(book, "--json").totals["computed"] == 2
    assert tree(tmp_path / "book_2x") == before


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("large.webp", {"large.webp": "WEBP"}),
        ("new/folder", {"new/folder/page.png": "PNG"}),
        ("there", {"there/page.png": "PNG"}),
    ],
)
def test_where_a_picture_goes(enlarger: Command, tmp_path: Path, out: str, expected: dict[str, str]) -> None:
    (tmp_path / "results" / "there").mkdir(parents=True)
    source = write(tmp_path / "page.png", page(1))
    done = enlarger.upscale(source, "-o", tmp_path / "results" / out)
    assert done.code == 0, done.err
    result = tree(tmp_path / "results")
    assert {name: opened(data).format for name, data in result.items()} == expected
    assert done.out.splitlines() == [str(tmp_path / "results" / name) for name in expected]


def test_a_folder_becomes_an_archive_and_an_archive_a_folder(enlarger: Command, tmp_path: Path) -> None:
    book = write_pages(tmp_path / "book", 2)
    write(book / "001.jpg", page(9, kind="JPEG"))
    assert enlarger.upscale(book, "-o", tmp_path / "book.cbz", "--format", "webp").code == 0
    with zipfile.ZipFile(tmp_path / "book.cbz") as archive:
        names = archive.namelist()
        assert all(opened(archive.read(name)).format == "WEBP" for name in names)
    assert len(names) == len({name.lower() for name in names}) == 3  # 001.png and 001.jpg do not meet
    assert enlarger.upscale(tmp_path / "book.cbz", "-o", tmp_path / "unpacked", "--scale", "1.5").code == 0


def test_several_inputs_go_to_one_folder(enlarger: Command, tmp_path: Path) -> None:
    """Two pictures of one name do not take each other's place."""
    one = write(tmp_path / "a" / "page.png", page(1))
    two = write(tmp_path / "b" / "page.png", page(2))
    volume = write_zip(tmp_path / "vol.zip", {"1.png": page(3)})
    book = write_pages(tmp_path / "book", 1)
    done = enlarger.upscale(one, two, volume, book, "-o", tmp_path / "all", "--json")
    assert done.code == 0, done.err
    assert tree(tmp_path / "all").keys() == {"page.png", "page (2).png", "vol.cbz", "book/000.png"}
    result = tree(tmp_path / "all")
    assert result["page.png"] != result["page (2).png"]


def test_a_box_a_fraction_and_a_format(enlarger: Command, tmp_path: Path) -> None:
    source = write(tmp_path / "page.png", encoded(opened(page(1)).convert("RGB"), "PNG"))
    for options, name, size in (
        (("--scale", "3"), "3.png", (180, 240)),
        (("--scale", "1.5"), "1.5.jpg", (90, 120)),
        (("--width", "100", "--height", "1000"), "box.webp", (100, 133)),
    ):
        assert enlarger.upscale(source, "-o", tmp_path / name, *options).code == 0
        assert opened((tmp_path / name).read_bytes()).size == size
