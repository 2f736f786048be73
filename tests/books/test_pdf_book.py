from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from document_making import (
    PdfPicture,
    PdfSheet,
    drawing,
    encoded,
    flate_picture,
    jpeg_picture,
    shown,
    write_pdf,
)
from PIL import Image

from enlarger.books import Limits, open_book, page_identity
from enlarger.errors import BookError
from enlarger.settings import Settings

LINE = "1 0 0 RG 4 w 20 20 m 180 280 l S"


def settings_for(tmp_path: Path, **changes: float) -> Settings:
    return Settings(cache_dir=tmp_path / "cache", **changes)


def pages_of(path: Path, **changes: float) -> dict[str, bytes]:
    with open_book(path, settings=settings_for(path.parent, **changes)) as book:
        assert not book.extras
        return {page.name: book.read(page.name) for page in book.pages}


def only_page(path: Path, **changes: float) -> tuple[str, bytes]:
    [page] = pages_of(path, **changes).items()
    return page


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"), np.int16)


# ---- pages that are one picture ----


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_that_fills_the_page_is_taken_out_byte_for_byte(tmp_path: Path, mode: str) -> None:
    picture = jpeg_picture(drawing(400, 600, mode))
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": picture})])
    assert only_page(path) == ("p0001.jpg", picture.data)


def test_pillows_own_pdfs_give_their_jpegs_back(tmp_path: Path) -> None:
    first, second = drawing(400, 600), drawing(300, 500)
    first.save(tmp_path / "a.pdf", save_all=True, append_images=[second], resolution=150)
    pages = pages_of(tmp_path / "a.pdf")
    assert list(pages) == ["p0001.jpg", "p0002.jpg"]
    assert [Image.open(BytesIO(data)).size for data in pages.values()] == [(400, 600), (300, 500)]
    assert all(data.startswith(b"\xff\xd8") and data in (tmp_path / "a.pdf").read_bytes() for data in pages.values())


@pytest.mark.parametrize(("width", "height"), [(40, 60), (7, 9), (800, 20_000), (3000, 30)])
def test_pictures_of_any_shape_are_taken_out(tmp_path: Path, width: int, height: int) -> None:
    picture = jpeg_picture(drawing(width, height, "L"))
    box = (0, 0, width / 2, height / 2)
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(box=box), {"Im": picture}, box)])
    assert only_page(path) == ("p0001.jpg", picture.data)


@pytest.mark.parametrize("period", [1, 2, 3, 5])
def test_screen_tone_is_taken_out(tmp_path: Path, period: int) -> None:
    """What is made small by leaving out pixels looks another grey than what is averaged."""
    y, x = np.mgrid[:900, :600]
    tone = Image.fromarray(np.where((x // period + y // period) % 2, 255, 0).astype(np.uint8))
    tone.paste(drawing(300, 300, "L"), (0, 0))
    picture = jpeg_picture(tone)
    assert only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": picture})]))[1] == picture.data


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_other_pictures_give_their_exact_pixels(tmp_path: Path, mode: str) -> None:
    source = drawing(400, 600, mode)
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": flate_picture(source)})])
    name, data = only_page(path)
    found = Image.open(BytesIO(data))
    assert (name, found.mode, found.format) == ("p0001.png", mode, "PNG")
    assert found.info["dpi"] == pytest.approx((144, 144), abs=0.1)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(source))


def test_a_scan_with_its_unseen_text_is_taken_out(tmp_path: Path) -> None:
    picture = jpeg_picture(drawing(400, 600))
    content = shown() + " BT /F 12 Tf 3 Tr 20 100 Td (found by searching) Tj ET"
    assert only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet(content, {"Im": picture})]))[1] == picture.data


def test_a_white_ground_under_the_picture_does_not_count(tmp_path: Path) -> None:
    picture = jpeg_picture(drawing(400, 600))
    content = "1 1 1 rg 0 0 200 300 re f " + shown()
    assert only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet(content, {"Im": picture})]))[1] == picture.data


# ---- pages that have to be drawn, since the picture is not what they show ----


def turned(entries: str = "", content: str = "", **changes: object) -> PdfSheet:
    return PdfSheet(content or shown(), {"Im": jpeg_picture(drawing(400, 600))}, entries=entries, **changes)


def looks_like(data: bytes, wanted: Image.Image) -> bool:
    found, expected = pixels(data), np.asarray(wanted.convert("RGB"), np.int16)
    return found.shape == expected.shape and np.abs(found - expected).mean() < 6


def test_a_turned_page_is_drawn_at_the_pictures_own_resolution(tmp_path: Path) -> None:
    _, data = only_page(write_pdf(tmp_path / "a.pdf", [turned("/Rotate 90")]))
    assert looks_like(data, drawing(400, 600).transpose(Image.Transpose.ROTATE_270))


def test_a_picture_that_is_turned_or_mirrored_is_drawn(tmp_path: Path) -> None:
    upside_down = "q -200 0 0 -300 200 300 cm /Im Do Q"
    mirrored = "q -200 0 0 300 200 0 cm /Im Do Q"
    pages = pages_of(write_pdf(tmp_path / "a.pdf", [turned(content=upside_down), turned(content=mirrored)]))
    assert looks_like(pages["p0001.png"], drawing(400, 600).transpose(Image.Transpose.ROTATE_180))
    assert looks_like(pages["p0002.png"], drawing(400, 600).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def test_a_cropped_page_shows_what_is_left_of_it(tmp_path: Path) -> None:
    _, data = only_page(write_pdf(tmp_path / "a.pdf", [turned("/CropBox [0 150 100 300]")]))
    assert looks_like(data, drawing(400, 600).crop((0, 0, 200, 300)))


def test_a_clipped_picture_is_drawn(tmp_path: Path) -> None:
    clipped = "q 0 150 200 150 re W n 200 0 0 300 0 0 cm /Im Do Q"
    _, data = only_page(write_pdf(tmp_path / "a.pdf", [turned(content=clipped)]))
    assert (pixels(data)[350:] == 255).all()


def test_a_mask_is_obeyed(tmp_path: Path) -> None:
    mask = Image.new("L", (400, 600), 255)
    mask.paste(0, (0, 300, 400, 600))
    picture = flate_picture(drawing(400, 600), mask=mask.tobytes())
    _, data = only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": picture})]))
    assert (pixels(data)[320:] == 255).all()
    assert not (pixels(data)[:280] == 255).all()


def test_inverted_colours_are_obeyed(tmp_path: Path) -> None:
    picture = jpeg_picture(drawing(400, 600), "/Decode [1 0 1 0 1 0]")
    name, data = only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": picture})]))
    assert (name, data[:4]) == ("p0001.jpg", b"\x89PNG")  # named before its bytes are looked at
    inverted = Image.fromarray(255 - np.asarray(drawing(400, 600)))
    assert looks_like(data, inverted)


def test_two_pictures_or_a_picture_and_lines_are_drawn(tmp_path: Path) -> None:
    half = jpeg_picture(drawing(200, 150))
    two = PdfSheet(shown("A", (0, 0, 200, 150)) + shown("B", (0, 150, 200, 300)), {"A": half, "B": half})
    lined = PdfSheet(shown() + LINE, {"Im": jpeg_picture(drawing(400, 600))})
    assert list(pages_of(write_pdf(tmp_path / "a.pdf", [two, lined]))) == ["p0001.png", "p0002.png"]


# ---- drawn pages ----


@pytest.mark.parametrize(("dpi", "size"), [(72, (200, 300)), (200, (556, 834)), (300, (834, 1250))])
def test_lines_and_words_are_drawn_at_the_set_resolution(tmp_path: Path, dpi: int, size: tuple[int, int]) -> None:
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(LINE)])
    name, data = only_page(path, pdf_dpi=dpi)
    found = Image.open(BytesIO(data))
    assert (name, found.size, found.mode) == ("p0001.png", size, "RGB")
    assert found.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


def test_a_page_without_colour_is_grey(tmp_path: Path) -> None:
    _, data = only_page(write_pdf(tmp_path / "a.pdf", [PdfSheet("BT /F 40 Tf 20 100 Td (words) Tj ET")]))
    assert Image.open(BytesIO(data)).mode == "L"


def test_the_identity_of_a_drawn_page_is_file_page_and_resolution(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(LINE), PdfSheet(LINE), turned()])
    with (
        open_book(path, settings=settings_for(tmp_path)) as at_200,
        open_book(path, settings=settings_for(tmp_path, pdf_dpi=300)) as at_300,
    ):
        names = [page.name for page in at_200.pages]
        identities = [page_identity(book, name) for book in (at_200, at_300) for name in names[:2]]
        assert len(set(identities)) == 4
        assert all(each is not None and len(each) == 64 for each in identities)
        assert page_identity(at_200, names[2]) is None  # a JPEG's bytes speak for themselves


# ---- what cannot be read ----


def error_of(path: Path, **changes: float) -> str:
    with pytest.raises(BookError) as caught, open_book(path, settings=settings_for(path.parent, **changes)):
        pass
    assert str(path) in str(caught.value.message)
    assert caught.value.remedy
    return str(caught.value)


def test_a_page_of_too_many_pixels_is_refused_before_memory(tmp_path: Path) -> None:
    huge = PdfSheet(LINE, box=(0, 0, 14400, 14400))
    path = write_pdf(tmp_path / "a.pdf", [huge, PdfSheet(LINE)])
    with open_book(path, settings=settings_for(tmp_path)) as book:
        assert [page.name for page in book.pages] == ["p0002.png"]
        [problem] = book.problems
        assert problem.name == "p0001.png"
        assert "40000 x 40000" in str(problem.error)
        assert "ENLARGER_PDF_DPI" in str(problem.error.remedy)


def test_a_small_page_may_hold_a_huge_picture(tmp_path: Path) -> None:
    entries = "/Width 60000 /Height 60000 /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode"
    bomb = PdfSheet(shown(box=(10, 10, 50, 50)) + LINE, {"Im": PdfPicture(entries, b"x\x9c")})
    assert "too large" in error_of(write_pdf(tmp_path / "a.pdf", [bomb]))


def test_a_password_is_named(tmp_path: Path) -> None:
    entries = f"/Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}>"
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(LINE)], f"/ID [<00> <00>] /Encrypt << {entries} >>")
    assert "needs a password" in error_of(path)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_cut_file(tmp_path: Path, share: float) -> None:
    path = write_pdf(tmp_path / "a.pdf", [turned()])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "is no PDF that can be read" in error_of(path)


def test_a_document_without_pages(tmp_path: Path) -> None:
    error_of(write_pdf(tmp_path / "a.pdf", []))


def test_more_pages_than_allowed(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(LINE)] * 3)
    with pytest.raises(BookError, match="more than 2"):
        open_book(path, limits=Limits(max_entries=2), settings=settings_for(tmp_path))


def test_broken_bytes_inside_cost_a_page_at_most(tmp_path: Path) -> None:
    good = jpeg_picture(drawing(400, 600))
    bad = PdfPicture(good.entries, good.data[:60] + bytes(200))
    path = write_pdf(tmp_path / "a.pdf", [PdfSheet(shown(), {"Im": bad}), PdfSheet(shown(), {"Im": good})])
    with open_book(path, settings=settings_for(tmp_path)) as book:
        assert book.read("p0002.jpg") == good.data
        assert book.read("p0001.jpg").startswith(b"\x89PNG")  # drawn: what a reader would show


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    assert list(pages_of(write_pdf(tmp_path / "a.cbz", [PdfSheet(LINE)]))) == ["p0001.png"]


def test_a_webp_is_no_pdf_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(encoded(drawing(), "WEBP"))
    assert "is no archive that can be read" in error_of(tmp_path / "a.pdf")
