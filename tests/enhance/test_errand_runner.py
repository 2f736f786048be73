"""Folders, archives and loose pictures: whole, in order, resumed, with what lay beside the pages."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from enlarger.enhance import (
    Enhancer,
    ErrandRunner,
    Listener,
    PageOutcome,
    Recipe,
    RenderCache,
    Report,
    make_recipe,
    plan_errands,
)
from enlarger.errors import CancelledError
from enlarger.models import load_catalog
from enlarger.pictures import Metadata, decode, encode
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings
from pages import noise, picture

MakePage = Callable[..., bytes]
Run = Callable[..., Report]
TWICE = make_recipe(load_catalog())
COMIC_INFO = (
    b'<?xml version="1.0"?>\n<ComicInfo><Pages><Page Image="0" ImageWidth="40" ImageHeight="50"/></Pages></ComicInfo>'
)


@pytest.fixture
def run(enhancer: Enhancer, cache: RenderCache) -> Run:
    def run(source: Path, out: Path | None = None, recipe: Recipe = TWICE, listener: Listener | None = None) -> Report:
        runner = ErrandRunner(enhancer, cache, recipe, listener=listener)
        return next(iter(runner.run(plan_errands([source], out, recipe))))

    return run


@pytest.fixture
def folder(tmp_path: Path, page: MakePage) -> Path:
    root = tmp_path / "book"
    (root / "ch 2").mkdir(parents=True)
    for seed, name in enumerate(["1.png", "2.png", "10.png", "ch 2/1.png"]):
        (root / name).write_bytes(page(seed))
    (root / "ComicInfo.xml").write_bytes(COMIC_INFO)
    (root / "ch 2" / "notes.txt").write_text("笔记")
    return root


@pytest.fixture
def volume(folder: Path) -> Path:
    path = folder.with_name("volume.cbz")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def statuses(report: Report) -> list[str]:
    return [page.status for page in report.pages]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_a_folder_keeps_its_tree(folder: Path, run: Run) -> None:
    report = run(folder)
    out = folder.with_name("book_2x")
    assert [page.name for page in report.pages] == ["1.png", "2.png", "10.png", "ch 2/1.png"]
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()) == [
        "1.png", "10.png", "2.png", "ComicInfo.xml", "ch 2/1.png", "ch 2/notes.txt"
    ]  # fmt: skip
    pixels = decode((out / "10.png").read_bytes(), name="10.png").pixels
    assert np.array_equal(pixels, noise(2, 40, 50).repeat(2, 0).repeat(2, 1))


def test_a_volume_comes_back_whole(volume: Path, run: Run) -> None:
    run(volume)
    found = members(volume.with_name("volume_2x.cbz"))
    assert list(found) == ["1.png", "2.png", "10.png", "ch 2/1.png", "ch 2/notes.txt", "ComicInfo.xml"]
    assert b'ImageWidth="80" ImageHeight="100"' in found["ComicInfo.xml"]


@pytest.mark.parametrize("kind", ["folder", "volume"])
def test_again_nothing_is_done(
    kind: str, request: pytest.FixtureRequest, run: Run, runtime: FakeRuntime, cache: RenderCache
) -> None:
    source: Path = request.getfixturevalue(kind)
    run(source)
    cache.clean()  # the output itself says that it is finished
    tiles = runtime.tiles_run
    report = run(source)
    assert statuses(report) == ["kept"] * 4
    assert runtime.tiles_run == tiles
    assert report.pages[0].facts["size"] == [80, 100]
    assert report.pages[0].megapixels == pytest.approx(0.002)


@pytest.mark.parametrize("kind", ["folder", "volume"])
def test_a_changed_page_is_done_again_and_no_other(
    kind: str, request: pytest.FixtureRequest, run: Run, runtime: FakeRuntime, page: MakePage
) -> None:
    source: Path = request.getfixturevalue(kind)
    run(source)
    tiles = runtime.tiles_run
    if kind == "folder":
        (source / "2.png").write_bytes(page(77))
    else:
        with zipfile.ZipFile(source) as old:
            kept = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(source, "w") as new:
            for name, data in kept.items():
                new.writestr(name, page(77) if name == "2.png" else data)
    assert statuses(run(source)).count("computed") == 1
    assert runtime.tiles_run == tiles + 1


def test_a_lost_page_is_put_back(folder: Path, run: Run, runtime: FakeRuntime) -> None:
    run(folder)
    lost = folder.with_name("book_2x") / "10.png"
    lost.unlink()
    tiles = runtime.tiles_run
    assert statuses(run(folder)) == ["kept", "kept", "cached", "kept"]
    assert lost.exists()
    assert runtime.tiles_run == tiles


def test_another_recipe_is_not_mistaken_for_finished(folder: Path, run: Run) -> None:
    out = folder.with_name("out")
    run(folder, out)
    assert statuses(run(folder, out, make_recipe(load_catalog(), scale=4))) == ["computed"] * 4


def test_a_torn_journal_costs_nothing_but_the_look(folder: Path, run: Run, enhancer: Enhancer) -> None:
    run(folder)
    (journal,) = (enhancer.settings.cache_dir / "journals").iterdir()
    journal.write_bytes(journal.read_bytes()[:-30])
    assert sorted(statuses(run(folder))) == ["cached", "kept", "kept", "kept"]
    assert statuses(run(folder)) == ["kept"] * 4


def test_a_bad_page_keeps_its_place_in_the_archive(volume: Path, run: Run, page: MakePage) -> None:
    with zipfile.ZipFile(volume, "a") as archive:
        archive.writestr("3.png", page(9)[:100])
    report = run(volume)
    assert [(p.name, p.error is not None) for p in report.failures] == [("3.png", True)]
    found = members(volume.with_name("volume_2x.cbz"))
    assert list(found)[:4] == ["1.png", "2.png", "3.png", "10.png"]
    assert found["3.png"] == page(9)[:100]


def test_a_folder_packs_into_one_archive(folder: Path, run: Run) -> None:
    run(folder, folder.with_name("packed.cbz"))
    assert len(members(folder.with_name("packed.cbz"))) == 6


def test_results_inside_the_source_are_not_taken_for_pages(folder: Path, run: Run) -> None:
    for _ in range(2):
        assert len(run(folder, folder / "out").pages) == 4


def test_a_book_that_cannot_be_opened_is_a_report(tmp_path: Path, run: Run) -> None:
    (tmp_path / "bad.cbz").write_bytes(b"PK\x03\x04 and no more")
    report = run(tmp_path / "bad.cbz")
    assert "bad.cbz" in str(report.error)
    assert report.pages == ()


def test_the_listener_hears_everything(volume: Path, run: Run) -> None:
    heard: list[object] = []

    class Ear(Listener):
        def begins(self, title: str, pages: int) -> None:
            heard.append((Path(title).name, pages))

        def page_progress(self, name: str, share: float) -> None:
            heard.append((name, share))

        def page_done(self, outcome: PageOutcome) -> None:
            heard.append((outcome.name, outcome.status))

    run(volume, listener=Ear())
    assert heard[0] == ("volume.cbz", 4)
    assert ("1.png", 1.0) in heard
    assert [each for each in heard if each == ("10.png", "computed")]


def test_cancelled_and_run_again_only_the_rest_is_computed(
    volume: Path, enhancer: Enhancer, cache: RenderCache, runtime: FakeRuntime, run: Run
) -> None:
    stop = threading.Event()

    class StopAfterFirst(Listener):
        def page_done(self, outcome: PageOutcome) -> None:
            stop.set()

    runner = ErrandRunner(enhancer, cache, TWICE, listener=StopAfterFirst(), cancel=stop)
    with pytest.raises(CancelledError):
        list(runner.run(plan_errands([volume], None, TWICE)))
    assert not volume.with_name("volume_2x.cbz").exists()
    done = runtime.tiles_run
    assert 0 < done < 4
    run(volume)
    assert runtime.tiles_run == 4


def test_parts_are_gone_when_the_archive_is_there(volume: Path, run: Run, enhancer: Enhancer) -> None:
    run(volume)
    assert not list((enhancer.settings.cache_dir / "parts").iterdir())


def test_facts_tell_how_a_page_came_about(folder: Path, run: Run) -> None:
    facts = run(folder).pages[0].facts
    assert facts["passes"][0]["variant"] == "MODEL_WAIFU2X_CUNET_UP2X"
    assert facts["recipe"]["model"] == "waifu2x-cunet"
    assert json.dumps(dict(facts))


def test_facts_tell_which_metadata_was_kept(tmp_path: Path, run: Run) -> None:
    data = encode(replace(picture(noise(1, 40, 50)), metadata=Metadata(dpi=(300.0, 300.0))), format="png").data
    (tmp_path / "page.png").write_bytes(data)
    assert run(tmp_path / "page.png").pages[0].facts["metadata"] == {"had": ["dpi"], "kept": ["dpi"]}


def test_another_spelling_of_the_path_is_the_same_volume(
    volume: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(volume.parent)
    run(Path("volume.cbz"))
    before = members(Path("volume_2x.cbz"))
    assert statuses(run(volume)) == ["kept"] * 4
    assert members(Path("volume_2x.cbz")) == before


@pytest.mark.parametrize("change", ["page taken away", "extra added", "extra changed"])
def test_a_volume_changed_beside_its_pages_is_packed_again(volume: Path, run: Run, change: str) -> None:
    run(volume)
    kept = {name: data for name, data in members(volume).items() if not name.endswith("/")}
    if change == "page taken away":
        del kept["10.png"]
    elif change == "extra added":
        kept["credits.txt"] = b"thanks"
    else:
        kept["ch 2/notes.txt"] = b"other notes"
    with zipfile.ZipFile(volume, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)
    assert "computed" not in statuses(run(volume))
    assert sorted(members(volume.with_name("volume_2x.cbz"))) == sorted(kept)


def test_a_file_that_is_not_ours_is_never_overwritten(
    folder: Path, volume: Path, tmp_path: Path, page: MakePage, run: Run
) -> None:
    loose, own = tmp_path / "page.png", tmp_path / "page_2x.png"
    loose.write_bytes(page(5))
    own.write_bytes(b"a person's own")
    volume.with_name("volume_2x.cbz").write_bytes(b"a person's own")
    assert "page_2x.png" in str(run(loose).pages[0].error)
    assert "volume_2x.cbz" in str(run(volume).error)
    run(folder)
    edited = folder.with_name("book_2x") / "2.png"
    edited.write_bytes(b"edited by hand")
    assert statuses(run(folder)) == ["kept", "failed", "kept", "kept"]
    assert edited.read_bytes() == b"edited by hand"
    assert own.read_bytes() == volume.with_name("volume_2x.cbz").read_bytes() == b"a person's own"


def test_a_folder_may_go_into_its_parent(folder: Path, run: Run) -> None:
    inner = folder / "ch 2"
    assert [p.name for p in run(inner, folder).pages] == ["1.png"]


def test_a_library_of_nothing_but_archives(volume: Path, run: Run) -> None:
    library = volume.parent / "library"
    library.mkdir()
    volume.rename(library / "volume.cbz")
    assert statuses(run(library)) == ["computed"] * 4


def test_archives_inside_a_packed_folder_are_carried_over(folder: Path, volume: Path, run: Run) -> None:
    volume.rename(folder / "inner.cbz")
    run(folder, folder.with_name("packed.cbz"))
    assert "inner.cbz" in members(folder.with_name("packed.cbz"))


def test_results_inside_a_library_are_not_enlarged_again(volume: Path, enhancer: Enhancer) -> None:
    library = volume.parent / "library"
    library.mkdir()
    volume.rename(library / "volume.cbz")
    for _ in range(2):
        errands = plan_errands([library], library / "big", TWICE)
        assert [errand.source.name for errand in errands] == ["volume.cbz"]
        list(ErrandRunner(enhancer, RenderCache(library.parent / "c", 10**9), TWICE).run(errands))


def test_a_page_survives_a_cache_that_holds_nothing(folder: Path, enhancer: Enhancer, settings: Settings) -> None:
    runner = ErrandRunner(enhancer, RenderCache(settings.renders_dir, 1), TWICE)
    assert statuses(next(iter(runner.run(plan_errands([folder], None, TWICE))))) == ["computed"] * 4
