"""Bad input through the real command: named, with what to do about it, while everything else goes on."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from page_files import encoded, encrypted, jpeg_header, opened, page, png_header, write, write_pages, write_zip
from PIL import Image
from real_command import EXACT, Command, Done, leftovers, tree

from loud_skips import missing

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_GIB = 1024**3
_MOST_BYTES = _GIB  # OpenVINO and its network take 300 MB; 60000 x 60000 pixels would take 3.6 or 10.8 GB
_BAD_PAGES = (
    "a page cut short.jpg",
    "a page cut short.png",
    "cut in the header.webp",
    "text.png",
    "nothing.png",
    "huge.png",
    "huge.jpg",
    "locked.png",
    "locked folder",
)
_BAD_ARCHIVES = ("encrypted.cbz", "cut short.cbz", "nothing.cbz", "only a bomb.cbz", "no zip.cbz", "no pages.zip")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Good and bad pages and archives, all together."""
    folder = tmp_path_factory.mktemp("bad") / "書 [组]"
    write(folder / "good 1.png", page(1))
    write(folder / "good 2.jpg", page(2, kind="JPEG"))
    write(folder / "a JPEG in truth.png", page(3, kind="JPEG"))
    write(folder / "第1话" / "good 3.webp", encoded(opened(page(4)).convert("RGB"), "WEBP"))
    _bad_pages(folder)
    _bad_archives(folder)
    yield folder
    (folder / "locked folder").chmod(0o700)


def _bad_pages(folder: Path) -> None:
    jpeg, png = page(5, 200, 200, "JPEG"), page(6, 200, 200)
    write(folder / "a page cut short.jpg", jpeg[: len(jpeg) // 2])
    write(folder / "a page cut short.png", png[: len(png) // 2])
    write(folder / "cut in the header.webp", encoded(opened(page(7)).convert("RGB"), "WEBP")[:18])
    write(folder / "text.png", b"this is a letter, not a picture")
    write(folder / "nothing.png", b"")
    write(folder / "huge.png", png_header(60_000, 60_000))
    write(folder / "huge.jpg", jpeg_header(60_000, 60_000))
    write(folder / "locked.png", page(8)).chmod(0)
    write(folder / "locked folder" / "page.png", page(9))
    (folder / "locked folder").chmod(0)


def _bad_archives(folder: Path) -> None:
    bomb = bytes(96 << 20)
    escape = {"../escaped.png": page(10), "/rooted.png": page(11), "C:\\drive.png": page(12), "kept.png": page(13)}
    write_zip(folder / "partly.cbz", {"good.png": page(14), "bomb.png": bomb}, zipfile.ZIP_DEFLATED)
    write_zip(folder / "leads out.cbz", escape)
    write_zip(folder / "only a bomb.cbz", {"bomb.png": bomb}, zipfile.ZIP_DEFLATED)
    encrypted(write_zip(folder / "encrypted.cbz", {"001.png": page(15), "002.png": page(16)}))
    whole = write_zip(folder / "cut short.cbz", {f"{n}.png": page(n) for n in range(4)}).read_bytes()
    write(folder / "cut short.cbz", whole[: len(whole) // 2])
    write(folder / "nothing.cbz", b"")
    write(folder / "no zip.cbz", b"no archive " * 50)
    write_zip(folder / "no pages.zip", {"readme.txt": b"hello"})


@pytest.fixture
def mortal(enlarger: Command) -> Command:
    """The command without the superuser's right to read what is locked."""
    return replace(enlarger, prefix=without_root())


def without_root() -> tuple[str, ...]:
    if os.name != "nt" and os.geteuid() == 0:
        if not shutil.which("setpriv"):
            missing("setpriv, by which root gives up reading everything,")
        return ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
    return ()


def failures(done: Done) -> dict[str, dict[str, str]]:
    """Errors by page, and of archives that gave no page by path."""
    named = {name: one["error"] for name, one in done.pages.items() if one["status"] == "failed"}
    return named | {r["title"]: r["error"] for r in done.json["reports"] if r["error"] is not None}


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_the_good_are_enlarged_and_every_bad_one_is_named(mortal: Command, folder: Path, tmp_path: Path) -> None:
    done = mortal.measured("upscale", folder, "-o", tmp_path / "out", "--json", *EXACT)
    assert done.code == 1, done.err
    assert done.peak_bytes < _MOST_BYTES
    written = tree(tmp_path / "out")
    good = {"good 1.png", "good 2.jpg", "a JPEG in truth.png", "第1话/good 3.webp", "partly.cbz", "leads out.cbz"}
    assert {name for name in written if "JPEG in truth" not in name} == good - {"a JPEG in truth.png"}
    assert all(opened(data).size == (120, 160) for name, data in written.items() if not name.endswith(".cbz"))
    failed = failures(done)
    for name in (*_BAD_PAGES, *(str(folder / name) for name in _BAD_ARCHIVES), "bomb.png", "../escaped.png"):
        assert failed[name]["message"], name
        assert failed[name]["remedy"], name
        assert Path(name).name in done.err, name
    assert done.totals["computed"] == 6
    assert "Traceback" not in done.err
    assert not list(tmp_path.rglob("*escaped*"))
    assert leftovers(tmp_path / "out", mortal.cache_dir) == []
    _again_in_chinese(mortal, folder, tmp_path / "out", done)


def _again_in_chinese(mortal: Command, folder: Path, out: Path, before: Done) -> None:
    """The second run keeps the good ones and names the bad ones again, in the reader's language."""
    before_tree = tree(out)
    chinese = replace(mortal, environment={"ENLARGER_LANGUAGE": "zh"})
    done = chinese("upscale", folder, "-o", out, "--json", *EXACT)
    assert done.code == 1
    assert done.totals["computed"] == 0
    assert failures(done).keys() == failures(before).keys()
    for name, error in failures(done).items():
        assert Path(name).name in done.err
        assert error["remedy"]
    assert tree(out) == before_tree


def test_what_is_left_of_a_damaged_archive_is_enlarged(enlarger: Command, tmp_path: Path) -> None:
    """A flipped byte in one page costs that page alone; it goes over as it came, where it can be read at all."""
    pages = {f"{number}.png": page(number) for number in range(3)}
    archive = write_zip(tmp_path / "volume.cbz", pages)
    data = bytearray(archive.read_bytes())
    data[data.index(pages["1.png"]) + 200] ^= 0xFF
    archive.write_bytes(data)
    done = enlarger.upscale(archive, "--json")
    assert done.code == 1
    assert {name for name, one in done.pages.items() if one["status"] == "failed"} == {"1.png"}
    with zipfile.ZipFile(tmp_path / "volume_2x.cbz") as result:
        assert {"0.png", "2.png"} <= set(result.namelist())
        assert result.testzip() is None


@pytest.mark.parametrize(
    ("name", "data"),
    [("text.png", b"a letter"), ("huge.png", png_header(60_000, 60_000)), ("book.rar", b"Rar!\x1a\x07\x01\x00")],
)
def test_one_bad_file_alone_is_code_3(enlarger: Command, tmp_path: Path, name: str, data: bytes) -> None:
    done = enlarger.upscale(write(tmp_path / name, data))
    assert done.code == 3
    assert name in done.err
    assert done.out == ""
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("cache", name)] == []


def test_a_folder_is_not_searched_for_what_is_no_page(enlarger: Command, tmp_path: Path) -> None:
    write_pages(tmp_path / "book", 1)
    write(tmp_path / "book" / "notes.txt", "笔记".encode())
    write(tmp_path / "book" / "__MACOSX" / "._000.png", b"litter")
    Image.new("RGB", (8, 8)).save(tmp_path / "book" / ".hidden.png")
    assert enlarger.upscale(tmp_path / "book").code == 0
    assert set(tree(tmp_path / "book_2x")) == {"000.png", "notes.txt"}
