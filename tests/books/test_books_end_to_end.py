"""Every kind of book through the command's road with the fake runtime: a cbz comes out."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from document_making import (
    PdfSheet,
    drawing,
    encoded,
    jpeg_picture,
    shown,
    write_epub,
    write_pdf,
    write_seven_zip,
    xhtml,
)
from PIL import Image
from rar_making import RarMember, rar4, rar5, write_rar
from zip_making import write_zip

from enlarger.books import looks_like_book, open_book
from enlarger.enhance import Enhancer, ErrandRunner, RenderCache, Report, make_recipe, plan_errands
from enlarger.errors import EnlargerError, InputError
from enlarger.jobs import JobSource, Submission
from enlarger.jobs.listing import list_pages
from enlarger.models import Graph, Variant, load_catalog
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings

TWICE = make_recipe(load_catalog())
COMIC_INFO = b'<ComicInfo><Pages><Page Image="0" ImageWidth="30" ImageHeight="40"/></Pages></ComicInfo>'
NAMES = ["第1話/1.png", "第1話/2.png", "第1話/10.png"]


def members_of_a_volume() -> dict[str, bytes]:
    pages = {name: encoded(drawing(30 + number, 40), "PNG") for number, name in enumerate(NAMES)}
    return {**pages, "ComicInfo.xml": COMIC_INFO}


MAKERS: Mapping[str, Callable[[Path], Path]] = {
    "volume.cb7": lambda path: write_seven_zip(path, members_of_a_volume()),
    "volume.rar": lambda path: write_rar(path, members_of_a_volume(), version=4),
    "volume.cbr": lambda path: write_rar(path, members_of_a_volume(), packed=True, solid=True),
}


@pytest.fixture(scope="session")
def identity_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest ONNX file: the fake runtime reads none, but memory is planned from it."""
    from onnx import TensorProto, helper, save

    path = tmp_path_factory.mktemp("graphs") / "identity.onnx"
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xy")
    save(helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])), path)
    return path


@pytest.fixture
def run(settings: Settings, identity_graph: Path) -> Callable[..., list[Report]]:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(identity_graph, f"digest of {variant.name}", variant, None)

    def run(*sources: Path, out: Path | None = None) -> list[Report]:
        with Enhancer(settings, device="fake", runtimes={"fake": FakeRuntime()}, prepare_graph=prepare) as enhancer:
            cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
            return list(ErrandRunner(enhancer, cache, TWICE).run(plan_errands(sources, out, TWICE)))

    return run


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def sizes(path: Path) -> dict[str, tuple[int, int]]:
    pictures = {name: data for name, data in members(path).items() if not name.endswith(".xml")}
    return {name: Image.open(BytesIO(data)).size for name, data in pictures.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_archives_come_back_as_cbz_with_what_lay_beside_the_pages(
    tmp_path: Path, run: Callable[..., list[Report]], name: str
) -> None:
    path = MAKERS[name](tmp_path / name)
    [report] = run(path)
    target = tmp_path / "volume_2x.cbz"
    assert report.target == target
    assert sizes(target) == {"第1話/1.png": (60, 80), "第1話/2.png": (62, 80), "第1話/10.png": (64, 80)}
    assert b'ImageWidth="60" ImageHeight="80"' in members(target)["ComicInfo.xml"]
    [again] = run(path)
    assert [page.status for page in again.pages] == ["kept"] * 3


def test_an_epub_keeps_its_reading_order(tmp_path: Path, run: Callable[..., list[Report]]) -> None:
    pictures = {f"{9 - number}.png": encoded(drawing(30 + number, 40), "PNG") for number in range(3)}
    documents = {f"{number}.xhtml": xhtml(f'<img src="{name}"/>') for number, name in enumerate(pictures)}
    run(write_epub(tmp_path / "volume.epub", documents, pictures))
    assert sizes(tmp_path / "volume_2x.cbz") == {"p0001.png": (60, 80), "p0002.png": (62, 80), "p0003.png": (64, 80)}


def test_a_pdf_gives_a_cbz_of_pages(tmp_path: Path, run: Callable[..., list[Report]]) -> None:
    sheets = [PdfSheet(shown(), {"Im": jpeg_picture(drawing(40, 60))}), PdfSheet("1 0 0 RG 20 20 m 180 280 l S")]
    path = write_pdf(tmp_path / "volume.pdf", sheets)
    [report] = run(path)
    assert sizes(tmp_path / "volume_2x.cbz") == {"p0001.jpg": (80, 120), "p0002.png": (1112, 1668)}
    [again] = run(path, out=tmp_path / "another.cbz")
    assert {page.status for page in (*report.pages, *again.pages)} == {"computed", "cached"}


def test_a_library_of_all_kinds(tmp_path: Path, run: Callable[..., list[Report]]) -> None:
    library = tmp_path / "library"
    library.mkdir()
    for name, make in MAKERS.items():
        make(library / name)
    (library / "volume.part2.rar").write_bytes(rar4([RarMember("1.jpg")], main_flags=0x11))  # is read with its first
    reports = run(library, out=tmp_path / "out")
    assert {report.target.name for report in reports} == {"volume.cbz", "volume (2).cbz", "volume (3).cbz"}
    assert not any(report.error for report in reports)


@pytest.mark.slow
def test_a_webtoon_strip_comes_through_whole(tmp_path: Path, run: Callable[..., list[Report]]) -> None:
    strip = drawing(800, 20_000, "L")
    path = write_seven_zip(tmp_path / "toon.cb7", {"strip.jpg": encoded(strip, "JPEG", quality=85)})
    [report] = run(path)
    assert [page.status for page in report.pages] == ["computed"]
    [(_, data)] = members(tmp_path / "toon_2x.cbz").items()
    with Image.open(BytesIO(data)) as result:
        assert result.size == (1600, 40_000)
        result.draft("L", (100, 2500))
        small = result.convert("L").resize((16, 400))
    wanted = strip.resize((16, 400))
    differences = [abs(a - b) for a, b in zip(small.tobytes(), wanted.tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 3


@pytest.mark.parametrize("name", [*MAKERS, "a.pdf", "a.epub"])
def test_jobs_list_the_same_pages(
    tmp_path: Path, settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENLARGER_CACHE_DIR", str(settings.cache_dir))
    makers = {
        "a.pdf": lambda path: write_pdf(path, [PdfSheet("0 0 m 9 9 l S")]),
        "a.epub": lambda path: write_epub(path, {"1.xhtml": xhtml('<img src="1.png"/>')}, {"1.png": b"x"}),
        **MAKERS,
    }
    path = makers[name](tmp_path / name)
    assert looks_like_book(path)
    listed = [page.name for page in list_pages(Submission(JobSource("archive", path), TWICE))]
    with open_book(path, settings=settings) as book:
        assert listed == [page.name for page in book.pages]
    assert not (settings.cache_dir / "spool").exists()  # listing unpacks nothing


def test_a_password_is_told_and_nothing_is_left(tmp_path: Path, run: Callable[..., list[Report]]) -> None:
    path = write_seven_zip(tmp_path / "a.cb7", {"1.jpg": b"x"}, password="secret")
    [report] = run(path)
    assert isinstance(report.error, InputError)
    assert "password" in str(report.error)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["a.cb7"]


# ---- what is broken is named, and everything else goes on ----

_GOOD = encoded(drawing(30, 40), "PNG")
_BOMB = bytes(96 << 20)


def _cut(path: Path, share: float = 0.5) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


BAD_BOOKS: Mapping[str, Callable[[Path], object]] = {
    "cut.cb7": lambda path: _cut(write_seven_zip(path, members_of_a_volume())),
    "cut.cbr": lambda path: _cut(write_rar(path, members_of_a_volume(), packed=True)),
    "cut.pdf": lambda path: _cut(write_pdf(path, [PdfSheet("0 0 m 9 9 l S")]), 0.1),
    "cut.epub": lambda path: _cut(write_epub(path, {"1.xhtml": xhtml('<img src="1.png"/>')}, {"1.png": _GOOD})),
    "nothing.cb7": lambda path: path.write_bytes(b""),
    "nothing.cbr": lambda path: path.write_bytes(b""),
    "nothing.pdf": lambda path: path.write_bytes(b""),
    "nothing.epub": lambda path: path.write_bytes(b""),
    "a letter.cb7": lambda path: path.write_bytes(b"no archive " * 50),
    "a letter.pdf": lambda path: path.write_bytes(b"no document " * 50),
    "locked.cb7": lambda path: write_seven_zip(path, {"1.png": _GOOD}, password="secret"),
    "locked.cbr": lambda path: path.write_bytes(rar4([RarMember("1.png", _GOOD, encrypted=True)])),
    "bomb.cb7": lambda path: write_seven_zip(path, {"1.png": _BOMB}),
    "bomb.cbr": lambda path: path.write_bytes(rar5([RarMember("1.png", packed=True, stated_bytes=1 << 31)])),
    "leads out.cbr": lambda path: path.write_bytes(rar5([RarMember("../1.png", _GOOD)])),
    "no pages.cb7": lambda path: write_seven_zip(path, {"readme.txt": b"hello"}),
}
WRONG_SUFFIX: Mapping[str, Callable[[Path], object]] = {
    "a 7z in truth.cbr": lambda path: write_seven_zip(path, members_of_a_volume()),
    "a rar in truth.cbz": lambda path: write_rar(path, members_of_a_volume()),
    "a zip in truth.cb7": lambda path: write_zip(path, members_of_a_volume()),
    "a PDF in truth.epub": lambda path: write_pdf(path, [PdfSheet(shown(), {"Im": jpeg_picture(drawing(40, 60))})]),
}


@pytest.mark.slow
def test_every_bad_book_is_named_with_its_remedy_and_the_good_ones_come_out(
    tmp_path: Path, run: Callable[..., list[Report]]
) -> None:
    library = tmp_path / "書"
    library.mkdir()
    for name, make in {**BAD_BOOKS, **WRONG_SUFFIX, **MAKERS}.items():
        make(library / name)
    before = sorted(tmp_path.rglob("*"))
    reports = {report.title: report for report in run(library, out=tmp_path / "out")}
    failed = {title for title, report in reports.items() if report.error is not None}
    assert {Path(title).name for title in failed} == set(BAD_BOOKS)
    for title in failed:
        error = reports[title].error
        assert isinstance(error, EnlargerError)
        assert Path(title).name in error.message.text("en")
        assert error.remedy is not None
    good = [report for title, report in reports.items() if title not in failed]
    assert len(good) == len(WRONG_SUFFIX) + len(MAKERS)
    assert all(page.status in ("computed", "cached") for report in good for page in report.pages)
    assert all(report.target.is_file() for report in good)
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - set(before)
    assert all(path.is_relative_to(tmp_path / "out") or "cache" in path.parts for path in written)


def test_without_a_program_for_rar_the_others_come_out(
    tmp_path: Path, run: Callable[..., list[Report]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, make in MAKERS.items():
        make(tmp_path / name)
    monkeypatch.setenv("PATH", "")
    reports = {report.title: report for report in run(*(tmp_path / name for name in MAKERS))}
    told = {Path(title).name: report.error for title, report in reports.items()}
    assert [name for name, error in told.items() if error is not None] == ["volume.cbr"]
    assert "no program here that unpacks rar" in str(told["volume.cbr"])
