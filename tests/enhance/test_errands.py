"""What INPUT… and OUT mean, and what is never overwritten."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from enlarger.enhance import make_recipe, plan_errands
from enlarger.errors import InputError
from enlarger.models import load_catalog

TWICE = make_recipe(load_catalog())


@pytest.fixture
def shelf(tmp_path: Path, page: Callable[..., bytes]) -> Path:
    """page.png, 第1話/001.jpg, 第1話/extra/2.cbz, volume.cbz."""
    (tmp_path / "page.png").write_bytes(page(1))
    (tmp_path / "第1話" / "extra").mkdir(parents=True)
    (tmp_path / "第1話" / "001.jpg").write_bytes(page(2, codec="jpeg"))
    for path in (tmp_path / "volume.cbz", tmp_path / "第1話" / "extra" / "2.cbz"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("1.png", page(3))
    return tmp_path


@pytest.mark.parametrize(
    ("source", "out", "targets"),
    [
        ("page.png", None, ["page_2x"]),
        ("page.png", "big.webp", ["big"]),
        ("page.png", "there", ["there/page"]),
        ("volume.cbz", None, ["volume_2x.cbz"]),
        ("volume.cbz", "big.zip", ["big.zip"]),
        ("volume.cbz", "there", ["there/volume.cbz"]),
        ("第1話", None, ["第1話_2x", "第1話_2x/extra/2.cbz"]),
        ("第1話", "there", ["there", "there/extra/2.cbz"]),
    ],
)
def test_where_results_go(shelf: Path, source: str, out: str | None, targets: list[str]) -> None:
    errands = plan_errands([shelf / source], out and shelf / out, TWICE)
    assert [errand.target.relative_to(shelf).as_posix() for errand in errands] == targets


def test_a_folder_packed_into_one_archive(shelf: Path) -> None:
    (errand, *_) = plan_errands([shelf / "第1話"], shelf / "packed.cbz", TWICE)
    assert (errand.kind, errand.packs) == ("folder", True)


def test_several_inputs_go_into_a_folder_and_never_to_one_name(shelf: Path) -> None:
    (shelf / "again").mkdir()
    (shelf / "again" / "page.png").write_bytes((shelf / "page.png").read_bytes())
    inputs = [shelf / "page.png", shelf / "again" / "page.png", shelf / "第1話"]
    targets = [errand.target for errand in plan_errands(inputs, shelf / "out", TWICE)]
    assert targets[:3] == [shelf / "out" / "page", shelf / "out" / "page (2)", shelf / "out" / "第1話"]


def test_scale_or_box_is_in_the_name(shelf: Path) -> None:
    recipe = make_recipe(load_catalog(), scale=1.5)
    assert plan_errands([shelf / "page.png"], None, recipe)[0].target.name == "page_1.5x"
    recipe = make_recipe(load_catalog(), width=1600)
    assert plan_errands([shelf / "page.png"], None, recipe)[0].target.name == "page_1600w"


@pytest.mark.parametrize(("source", "out"), [("page.png", "."), ("volume.cbz", "volume.cbz"), ("第1話", "第1話")])
def test_a_source_is_never_overwritten(shelf: Path, source: str, out: str) -> None:
    with pytest.raises(InputError, match="overwrite"):
        plan_errands([shelf / source], shelf / out, TWICE)


def test_what_is_not_there_is_named(shelf: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        plan_errands([shelf / "nowhere.png"], None, TWICE)


def test_only_cbz_and_zip_can_be_written(shelf: Path) -> None:
    with pytest.raises(InputError, match=r"big\.rar"):
        plan_errands([shelf / "volume.cbz"], shelf / "big.rar", TWICE)


@pytest.mark.parametrize(
    ("inputs", "out"),
    [(["page.png"], "one.cbz"), (["volume.cbz"], "x.jpg"), (["第1話"], "x.png"), (["page.png", "volume.cbz"], "x.cbz")],
)
def test_an_out_of_the_wrong_kind_is_refused(shelf: Path, inputs: list[str], out: str) -> None:
    with pytest.raises(InputError, match=out):
        plan_errands([shelf / name for name in inputs], shelf / out, TWICE)
