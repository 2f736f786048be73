"""`enlarger upscale` from what is typed to what lies on the disk, on the runtime without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from command_running import SMALL_MODEL, Enlarger, draw_folder, draw_page, finish, require_weights, spawn
from PIL import Image

pytestmark = pytest.mark.weights


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    return Enlarger(tmp_path, monkeypatch, capsys)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_picture(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "[组] 书 本" / "第 1 页.png")
    done = enlarger.fake(page)
    result = page.with_name("第 1 页_2x.png")
    assert (done.code, done.out) == (0, f"{result}\n")
    assert f"{page} → {result}: 1 computed" in done.err
    assert "Pages: 1 computed" in done.err
    assert size_of(result) == (96, 80)


def test_the_suffix_of_out_decides_the_format(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "page.png")
    assert enlarger.fake(page, "-o", tmp_path / "large.webp").code == 0
    assert enlarger.fake(page, "-o", tmp_path / "other.webp", "--format", "jpeg").code == 0
    with Image.open(tmp_path / "large.webp") as picture:
        assert picture.format == "WEBP"
    with Image.open(tmp_path / "other.jpg") as picture:
        assert picture.format == "JPEG"


def test_a_format_that_cannot_be_written_is_refused(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "page.png")
    done = enlarger.fake(page, "-o", tmp_path / "large.png", "--format", "xcf")
    assert done.code == 2
    assert "“xcf” is not an output format" in done.err


@pytest.mark.parametrize("model", ["waifu2x-cunet", "realesr-animevideov3"])
def test_denoising_in_words_fits_every_model(enlarger: Enlarger, tmp_path: Path, model: str) -> None:
    page = draw_page(tmp_path / "page.png")
    done = enlarger.fake(page, "-o", tmp_path / "same.png", "--model", model, "--denoise", "medium", "--scale", "1")
    assert (done.code, size_of(tmp_path / "same.png")) == (0, size_of(page))


def test_denoising_is_asked_for_in_one_way(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "page.png")
    assert "strength" in enlarger.fake(page, "--denoise", "strong").err
    both = enlarger.fake(page, "--denoise", "low", "--noise", "1")
    assert (both.code, "contradict" in both.err) == (2, True)


def test_options_reach_the_recipe(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "page.png", width=40, height=20)
    assert enlarger.fake(page, "-o", tmp_path / "w.png", "--width", "100", "--noise", "1").code == 0
    assert (
        enlarger.fake(page, "-o", tmp_path / "s.png", "--scale", "3", "--tile", "64", "--precision", "exact").code == 0
    )
    assert (size_of(tmp_path / "w.png"), size_of(tmp_path / "s.png")) == ((100, 50), (120, 60))


def test_a_name_that_begins_with_a_dash(enlarger: Enlarger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_page(tmp_path / "-page.png")
    monkeypatch.chdir(tmp_path)
    require_weights()
    assert enlarger("upscale", "--model", SMALL_MODEL, "--device", "fake", "--", "-page.png").code == 0
    assert (tmp_path / "-page_2x.png").exists()


def test_a_folder_keeps_its_tree_and_a_second_run_computes_nothing(enlarger: Enlarger, tmp_path: Path) -> None:
    draw_page(tmp_path / "book" / "第1话" / "a.png", 1)
    draw_page(tmp_path / "book" / "b.png", 2)
    first = enlarger.fake(tmp_path / "book", "--json")
    second = enlarger.fake(tmp_path / "book", "--json")
    assert (first.code, second.code) == (0, 0)
    assert first.json["totals"]["computed"] == 2
    assert second.json["totals"] | {"seconds": 0} == {
        "computed": 0, "cached": 0, "kept": 2, "failed": 0, "seconds": 0, "megapixels": 0, "megapixelsPerSecond": 0
    }  # fmt: skip
    assert size_of(tmp_path / "book_2x" / "第1话" / "a.png") == (96, 80)


def test_a_zip_becomes_a_cbz(enlarger: Enlarger, tmp_path: Path) -> None:
    page = draw_page(tmp_path / "a.png")
    with zipfile.ZipFile(tmp_path / "vol 1.zip", "w") as archive:
        archive.write(page, "001.png")
    done = enlarger.fake(tmp_path / "vol 1.zip")
    assert (done.code, done.out) == (0, f"{tmp_path / 'vol 1_2x.cbz'}\n")
    with zipfile.ZipFile(tmp_path / "vol 1_2x.cbz") as archive:
        assert archive.namelist() == ["001.png"]


def test_one_bad_page_is_named_and_the_others_are_done(enlarger: Enlarger, tmp_path: Path) -> None:
    draw_folder(tmp_path / "book", 2)
    (tmp_path / "book" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    done = enlarger.fake(tmp_path / "book", "--json")
    assert done.code == 1
    assert done.json["exitCode"] == 1
    assert done.json["totals"]["computed"] == 2
    (failed,) = [page for page in done.json["reports"][0]["pages"] if page["status"] == "failed"]
    assert failed["name"] == "bad.png"
    assert failed["error"]["code"] == "bad_picture"
    assert "bad.png" in done.err


def test_a_pattern_that_the_shell_left_alone(enlarger: Enlarger, tmp_path: Path) -> None:
    draw_folder(tmp_path / "book", 3)
    done = enlarger.fake(tmp_path / "book" / "*.png", "-o", tmp_path / "out")
    assert done.code == 0
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["no such.png"], 3, "bad_input"),
        (["*.nothing"], 3, "bad_input"),
        (["page.png", "--model", "nobody"], 4, "unknown_model"),
        (["page.png", "--device", "gpu:9"], 5, "runtime_failed"),
        (["page.png", "--scale", "99"], 2, "bad_recipe"),
        (["page.png", "--noise", "much"], 2, "bad_recipe"),
        (["page.png", "-o", "a file/out.png"], 6, "storage"),
    ],
)
def test_each_kind_of_error_has_its_code(
    enlarger: Enlarger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, kind: str
) -> None:
    require_weights()
    draw_page(tmp_path / "page.png")
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    done = enlarger("upscale", "--json", "--model", SMALL_MODEL, "--device", "fake", *arguments)
    assert done.code == code
    assert done.json["exitCode"] == code
    assert done.json["error"]["code"] == kind
    assert done.json["error"]["message"] in done.err


def test_nothing_that_can_be_read_is_code_3(enlarger: Enlarger, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    done = enlarger.fake(tmp_path / "text.png")
    assert done.code == 3


def test_weights_that_are_missing_are_said_before_the_first_page(
    enlarger: Enlarger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from enlarger.models import sources

    monkeypatch.setattr(sources, "find_spec", lambda _name: None)  # no package is installed
    done = enlarger("upscale", draw_page(tmp_path / "a.png"), "--model", SMALL_MODEL, "--json")
    assert done.code == 4
    assert done.json["reports"] == []  # no book was begun
    assert "models pull" in done.err
    assert list(tmp_path.glob("*_2x*")) == []


@pytest.mark.slow
def test_a_real_network_in_a_process_of_its_own(enlarger: Enlarger, tmp_path: Path) -> None:
    require_weights()
    page = draw_page(tmp_path / "页 1.png", width=64, height=64)
    done = finish(spawn("upscale", page, "--model", SMALL_MODEL, "--device", "openvino", "--precision", "exact"))
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / '页 1_2x.png'}\n"
    assert size_of(tmp_path / "页 1_2x.png") == (128, 128)
