from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from document_making import write_epub, xhtml
from zip_making import JPEG

from enlarger.books import open_book
from enlarger.books.epub_text import Shown, shown_in
from enlarger.errors import BookError

PICTURES = {"images/z.jpg": b"first", "images/a.png": b"second", "images/m.webp": b"third"}
PAGES = {
    "text/1.xhtml": xhtml('<img src="../images/z.jpg" alt="page"/>'),
    "text/2.xhtml": xhtml('<svg><image width="1" xlink:href="../images/a.png"/></svg>'),
    "text/3.xhtml": xhtml("<div style=\"background-image: url('../images/m.webp')\"></div>"),
}
CONTAINER = "META-INF/container.xml"


def pages_of(path: Path) -> dict[str, bytes]:
    with open_book(path) as book:
        return {page.name: book.read(page.name) for page in book.pages}


def error_of(path: Path) -> str:
    with pytest.raises(BookError) as caught:
        open_book(path)
    assert str(path) in str(caught.value.message)
    assert caught.value.remedy
    return str(caught.value)


def test_pictures_come_in_the_order_of_the_spine(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES, PICTURES)
    assert pages_of(path) == {"p0001.jpg": b"first", "p0002.png": b"second", "p0003.webp": b"third"}


def test_the_spine_decides_not_the_manifest(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES, PICTURES, spine=list(reversed(PAGES)))
    assert list(pages_of(path).values()) == [b"third", b"second", b"first"]


def test_the_spine_may_name_pictures_themselves(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", {}, PICTURES, spine=["images/m.webp", "images/z.jpg"])
    assert list(pages_of(path).values()) == [b"third", b"first"]


def test_a_picture_shown_twice_is_one_page(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES | {"text/4.xhtml": PAGES["text/1.xhtml"]}, PICTURES)
    assert len(pages_of(path)) == 3


def test_a_document_is_read_once_however_often_the_spine_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(data: bytes, place: str) -> Shown:
        read.append(place)
        return shown_in(data, place)

    monkeypatch.setattr("enlarger.books.epub_book.shown_in", noted)
    assert len(pages_of(write_epub(tmp_path / "a.epub", PAGES, PICTURES, spine=[*PAGES] * 50))) == 3
    assert len(read) == 3


def test_all_texts_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.books.epub_book._MOST_TEXT_BYTES_IN_ALL", 100_000)
    blank = {f"{number}.xhtml": xhtml(" " * 30_000) for number in range(4)}
    assert len(pages_of(write_epub(tmp_path / "a.epub", PAGES | dict(list(blank.items())[:3]), PICTURES))) == 3
    assert "too large for a text" in error_of(write_epub(tmp_path / "b.epub", PAGES | blank, PICTURES))


def test_a_cover_outside_the_spine_comes_first(tmp_path: Path) -> None:
    pictures = PICTURES | {"cover.jpg": b"cover"}
    assert (
        next(iter(pages_of(write_epub(tmp_path / "a.epub", PAGES, pictures, cover="cover.jpg")).values())) == b"cover"
    )


def test_a_cover_in_the_spine_stays_where_it_is(tmp_path: Path) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES, PICTURES, cover="images/m.webp")
    assert list(pages_of(path).values()) == [b"first", b"second", b"third"]


def test_names_in_other_scripts_and_with_spaces(tmp_path: Path) -> None:
    document = xhtml('<img src="%E7%AC%AC1%E9%A1%B5%20a.jpg?x#y"/>')
    assert list(pages_of(write_epub(tmp_path / "a.epub", {"1.xhtml": document}, {"第1页 a.jpg": b"x"})).values()) == [
        b"x"
    ]


def test_documents_that_are_not_well_formed_are_read(tmp_path: Path) -> None:
    broken = "<html><body><p>&nbsp;<img src=images/z.jpg><br></body>"
    assert list(pages_of(write_epub(tmp_path / "a.epub", {"1.html": broken}, PICTURES)).values()) == [b"first"]


def test_comic_info_is_carried_over_and_nothing_else(tmp_path: Path) -> None:
    others = {"ComicInfo.xml": b"<ComicInfo/>", "OEBPS/style.css": b"p {}"}
    with open_book(write_epub(tmp_path / "a.epub", PAGES, PICTURES, others=others)) as book:
        assert list(book.extras) == ["ComicInfo.xml"]


@pytest.mark.parametrize(
    "reference", ["../../../../etc/1.jpg", "/etc/1.jpg", "http://elsewhere.test/1.jpg", "file:///1.jpg"]
)
def test_references_lead_nowhere_else(tmp_path: Path, reference: str) -> None:
    documents = PAGES | {"text/0.xhtml": xhtml(f'<img src="{reference}"/>')}
    assert len(pages_of(write_epub(tmp_path / "a.epub", documents, PICTURES))) == 3


def test_content_decides_what_is_an_epub(tmp_path: Path) -> None:
    assert "p0001.jpg" in pages_of(write_epub(tmp_path / "a.zip", PAGES, PICTURES))


def test_a_novel_is_a_clear_error(tmp_path: Path) -> None:
    chapters = {f"{number}.xhtml": xhtml("<p>" + "word " * 3000 + "</p>") for number in range(3)}
    plate = {"plate.xhtml": xhtml('<img src="plate.jpg"/>')}
    assert "book of words" in error_of(write_epub(tmp_path / "a.epub", chapters, {}))
    assert "book of words" in error_of(write_epub(tmp_path / "b.epub", chapters | plate, {"plate.jpg": JPEG}))


def test_captions_do_not_make_a_novel(tmp_path: Path) -> None:
    documents = {name: text.replace("</body>", "<p>" + "word " * 100 + "</p></body>") for name, text in PAGES.items()}
    assert len(pages_of(write_epub(tmp_path / "a.epub", documents, PICTURES))) == 3


def test_locked_pictures_are_a_clear_error(tmp_path: Path) -> None:
    lock = '<encryption xmlns:e="x"><e:CipherReference URI="OEBPS/images/a.png"/></encryption>'
    assert "(DRM)" in error_of(
        write_epub(tmp_path / "a.epub", PAGES, PICTURES, others={"META-INF/encryption.xml": lock})
    )


def test_locked_fonts_do_no_harm(tmp_path: Path) -> None:
    lock = '<encryption><CipherReference URI="OEBPS/fonts/a.ttf"/></encryption>'
    path = write_epub(tmp_path / "a.epub", PAGES, PICTURES, others={"META-INF/encryption.xml": lock})
    assert len(pages_of(path)) == 3


@pytest.mark.parametrize(
    "container",
    [
        "",
        "not xml",
        "<container/>",
        '<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><container>&b;</container>',
        '<container><rootfile full-path="missing.opf"/></container>',
        '<container><rootfile full-path="../../etc/passwd"/></container>',
        '<?xml version="1.0" encoding="no-such"?><container/>',
    ],
)
def test_a_broken_container_is_a_clear_error(tmp_path: Path, container: str) -> None:
    path = write_epub(tmp_path / "a.epub", PAGES, PICTURES)
    with ZipFile(path) as old, ZipFile(tmp_path / "b.epub", "w") as new:
        for name in old.namelist():
            new.writestr(name, container if name == CONTAINER else old.read(name))
    error_of(tmp_path / "b.epub")


def test_a_member_that_is_missing_costs_only_itself(tmp_path: Path) -> None:
    documents = PAGES | {"text/9.xhtml": xhtml('<img src="../images/lost.jpg"/>')}
    assert len(pages_of(write_epub(tmp_path / "a.epub", documents, PICTURES))) == 3
