"""The lane: decode ahead, compute one, encode behind; readers overtake between two tiles; nothing is lost."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_workers import make_graph, page_file, recipe, start
from running_lane import Running

from enlarger.enhance import make_recipe
from enlarger.jobs import JobSource, Priority
from enlarger.jobs.protocol import Failed, FromWorker, GaveBack, Idle, Prepared, TileDone
from enlarger.models import load_catalog
from enlarger.pictures import encode
from enlarger.runtimes import FakeRuntime, Misfortune
from enlarger.settings import Settings
from pages import noise, picture

Hook = Callable[[FakeRuntime], None]
LARGE = {"width": 200, "height": 200}  # several tiles
POOLED = replace(make_recipe(load_catalog(), model="realcugan-se"), tile_px=32)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


@pytest.fixture
def running(settings: Settings, graph: Path) -> Iterator[Running]:
    running = Running(settings, graph)
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def undisturbed(tmp_path: Path, graph: Path) -> Iterator[Running]:
    """Another lane, with a cache of its own."""
    settings = Settings(data_dir=tmp_path / "other-data", cache_dir=tmp_path / "other-cache", offline=True)
    running = Running(settings, graph)
    try:
        yield running
    finally:
        running.end()


# ---- one page ----


def test_a_page_is_told_of_at_every_step(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path, **LARGE)
    running.until(Idle)
    running.lane.start(start(7, path, tmp_path / "out"))
    result = running.done(7)
    output = (tmp_path / "out" / "a.png").read_bytes()
    assert (result.output, result.bytes, result.computed) == ("a.png", len(output), True)
    assert result.output_sha256 == hashlib.sha256(output).hexdigest()
    assert result.input_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result.facts["passes"][0]["runtime"] == "fake"
    assert result.facts["size"] == [400, 400]
    assert "file" not in result.facts
    running.until_task(Idle, None)
    kinds = [type(message) for message in running.said]
    tiles = result.facts["passes"][0]["tiles"]
    assert tiles > 4
    assert kinds[:2] == [Idle, Prepared]
    assert kinds[2 : 2 + tiles] == [TileDone] * tiles
    assert running.of(TileDone)[-1] == TileDone(7, 1.0)
    assert running.of(Prepared) == [Prepared(7, result.key, cached=False)]


def test_what_is_in_the_cache_costs_no_tile(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path)
    running.lane.start(start(1, path, tmp_path / "out"))
    running.done(1)
    before = running.runtime.tiles_run
    running.lane.start(start(2, path, tmp_path / "again"))
    assert running.done(2).computed is False
    assert running.runtime.tiles_run == before
    assert running.of(Prepared, 2)[0].cached is True
    assert (tmp_path / "again" / "a.png").read_bytes() == (tmp_path / "out" / "a.png").read_bytes()


def test_a_render_that_leaves_the_cache_before_it_is_placed_is_made_again(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path)
    running.lane.start(start(1, path, tmp_path / "out"))
    running.done(1)

    def drop(message: FromWorker) -> None:
        if isinstance(message, Prepared) and message.cached:
            running.cache.clean()

    running.on_message = drop
    running.lane.start(start(2, path, tmp_path / "again"))
    assert running.done(2).computed is True
    assert (tmp_path / "again" / "a.png").exists()


def test_the_same_picture_twice_at_once_is_computed_once(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path, **LARGE)
    running.at[1] = lambda: (running.lane.start(start(2, path, tmp_path / "b")), running.until_ready(2))  # type: ignore[assignment]
    running.lane.start(start(1, path, tmp_path / "a"))
    assert (running.done(1).computed, running.done(2).computed) == (True, False)
    assert running.runtime.tiles_run == running.done(1).facts["passes"][0]["tiles"]


def test_refreshing_shows_other_models(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path)
    running.lane.start(start(1, path, tmp_path / "out"))
    running.done(1)
    original = running.enhancer._prepare_graph
    running.enhancer._prepare_graph = lambda variant, settings: replace(original(variant, settings), digest="other")
    running.lane.refresh()
    running.lane.start(start(2, path, tmp_path / "again"))
    assert running.done(2).computed is True
    assert running.done(1).key != running.done(2).key
    assert running.done(2).facts["passes"][0]["graph"] == "other"


def test_each_device_is_its_own_and_all_share_what_is_open(running: Running, tmp_path: Path) -> None:
    path = page_file(tmp_path)
    running.lane.start(start(1, path, tmp_path / "out", device="fake:cpu"))
    assert running.done(1).facts["passes"][0]["device"] == "cpu"
    assert [model for model, _spec in running.enhancer.resident()] == ["MODEL_WAIFU2X_CUNET_UP2X"]
    running.lane.start(start(2, path, tmp_path / "out", device="nonsense", recipe=recipe(quality=50)))
    running.until_task(Failed, 2)
    assert running.of(Failed, 2)[0].failure.code == "runtime_failed"


# ---- who goes first ----


def overtaken(running: Running, tmp_path: Path, tile: int, *, low: Any, high: Any) -> None:
    """Before tile `tile` of the low page is computed, the high one is decoded."""
    running.at[tile] = lambda: (running.lane.start(high), running.until_ready(high.task))  # type: ignore[assignment]
    running.lane.start(low)
    running.done(low.task)
    running.done(high.task)


@pytest.mark.parametrize("poolings", [0, 4])
@pytest.mark.parametrize("changes", [{}, {"tta": True}, {"scale": 4.0}], ids=["plain", "tta", "two passes"])
@pytest.mark.parametrize("tile", [2, 9])
def test_a_reader_goes_first_and_the_page_before_goes_on_where_it_stood(
    running: Running, undisturbed: Running, tmp_path: Path, changes: dict[str, Any], tile: int, poolings: int
) -> None:
    base = POOLED if poolings else recipe()
    way = replace(base, **changes)
    volume = page_file(tmp_path, "volume.png", 1, 130, 90)
    read = page_file(tmp_path, "read.png", 2, 70, 90)
    for lane in (running, undisturbed):
        lane.runtime.poolings = poolings
    low = start(1, volume, tmp_path / "out", Priority.VOLUME, recipe=way)
    high = start(2, read, tmp_path / "out", Priority.READING, recipe=way)
    overtaken(running, tmp_path, tile, low=low, high=high)

    for message in (low, high):
        undisturbed.lane.start(replace(message, out_dir=tmp_path / "other"))
        undisturbed.done(message.task)
    told = [message.task for message in running.of(TileDone)]
    first, last = told.index(2), len(told) - 1 - told[::-1].index(2)
    assert first == tile  # right after the tile that was being computed
    assert set(told[first : last + 1]) == {2}
    assert told[last + 1 :] != []
    assert running.runtime.tiles_run == undisturbed.runtime.tiles_run  # nothing twice
    assert running.runtime.tiles_pooled == undisturbed.runtime.tiles_pooled
    assert running.runtime.sessions_closed == 0
    for name in ("volume.png", "read.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_equal_priority_waits(running: Running, tmp_path: Path) -> None:
    low = start(1, page_file(tmp_path, "a.png", 1, **LARGE), tmp_path / "out", Priority.AHEAD)
    high = start(2, page_file(tmp_path, "b.png", 2, **LARGE), tmp_path / "out", Priority.AHEAD)
    overtaken(running, tmp_path, 2, low=low, high=high)
    told = [message.task for message in running.of(TileDone)]
    assert told == sorted(told)


def test_readers_overtake_one_another_and_the_sessions_they_push_out_are_not_the_interrupted(
    running: Running, tmp_path: Path
) -> None:
    """Five pages deep, each with sessions of its own: more than may be open without pages that are interrupted."""
    running.runtime.poolings = 4
    for depth, priority in enumerate(sorted(Priority), start=1):
        path = page_file(tmp_path, f"{depth}.png", depth, 90 + 20 * depth, 100)
        page = start(depth, path, tmp_path / "out", priority, recipe=replace(POOLED, tile_px=32 + 16 * depth))
        if depth == 1:
            first = page
        else:
            running.at[depth] = lambda page=page: (running.lane.start(page), running.until_ready(page.task))  # type: ignore[misc]
    running.lane.start(first)
    for depth in range(1, 6):
        running.done(depth)
    ends = [message.task for message in running.of(TileDone) if message.share == 1.0]
    assert ends == [5, 4, 3, 2, 1]
    assert running.of(Failed) == []


def test_memory_that_is_short_beside_an_interrupted_page_is_waited_for(running: Running, tmp_path: Path) -> None:
    """The reader's page is not to blame: its tile stays what it was, and no tile of the other is lost."""
    low = start(1, page_file(tmp_path, "volume.png", 1, **LARGE), tmp_path / "out")
    free = recipe(tile_px=0)
    high = start(2, page_file(tmp_path, "read.png", 2, **LARGE), tmp_path / "out", Priority.READING, recipe=free)

    def short() -> None:
        running.runtime.misfortune = replace(running.runtime.misfortune, out_of_memory_above_px=128 * 128)
        running.lane.start(high)
        running.until_ready(2)

    def enough(message: FromWorker) -> None:
        if message == TileDone(1, 1.0):
            running.runtime.misfortune = replace(running.runtime.misfortune, out_of_memory_above_px=None)

    running.on_message = enough
    running.at[2] = short
    running.lane.start(low)
    (one,) = running.done(2).facts["passes"]
    assert one["tiles"] == 1
    assert not (running.enhancer.settings.data_dir / "tile-limits.json").exists()
    attempts = 2  # the second after all that was not in use was closed
    assert running.runtime.tiles_run == running.done(1).facts["passes"][0]["tiles"] + one["tiles"] + attempts


def test_memory_that_is_short_for_a_page_alone_still_lowers_its_tile(running: Running, tmp_path: Path) -> None:
    running.runtime.misfortune = Misfortune(out_of_memory_above_px=128 * 128)
    running.lane.start(start(1, page_file(tmp_path, **LARGE), tmp_path / "out", recipe=recipe(tile_px=0)))
    height, width = running.done(1).facts["passes"][0]["tile"]
    assert height * width <= 128 * 128


def test_a_page_that_was_raised_is_not_interrupted_by_what_is_less_urgent(running: Running, tmp_path: Path) -> None:
    low = start(1, page_file(tmp_path, "a.png", 1, **LARGE), tmp_path / "out")
    other = start(2, page_file(tmp_path, "b.png", 2, **LARGE), tmp_path / "out", Priority.INTERACTIVE)
    running.at[2] = lambda: (  # type: ignore[assignment]
        running.lane.prioritise(1, Priority.READING),
        running.lane.start(other),
        running.until_ready(2),
    )
    running.lane.start(low)
    running.done(2)
    told = [message.task for message in running.of(TileDone)]
    assert told == sorted(told)


def test_a_page_that_was_raised_overtakes(running: Running, tmp_path: Path) -> None:
    other = start(2, page_file(tmp_path, "b.png", 2, **LARGE), tmp_path / "out")
    running.at[2] = lambda: (running.lane.start(other), running.until_ready(2))  # type: ignore[assignment]
    running.at[3] = lambda: running.lane.prioritise(2, Priority.READING)
    running.lane.start(start(1, page_file(tmp_path, "a.png", 1, **LARGE), tmp_path / "out"))
    running.done(1)
    ends = [message.task for message in running.of(TileDone) if message.share == 1.0]
    assert ends == [2, 1]


def test_a_page_that_was_raised_is_decoded_first_and_once(running: Running, tmp_path: Path) -> None:
    running.until(Idle)
    goes_on = threading.Event()
    running.lane._decoder.put(1 << 30, goes_on.wait)  # type: ignore[arg-type]
    for task in (1, 2, 3):
        running.lane.start(start(task, page_file(tmp_path, f"{task}.png", task), tmp_path / "out"))
    running.lane.prioritise(3, Priority.READING)
    running.lane.prioritise(99, Priority.READING)
    goes_on.set()
    for task in (1, 2, 3):
        running.done(task)
    assert [prepared.task for prepared in running.of(Prepared)] == [3, 1, 2]


# ---- called back ----


def test_a_cancelled_page_stops_at_the_next_tile(running: Running, tmp_path: Path) -> None:
    running.at[2] = lambda: running.lane.cancel(1)
    running.lane.start(start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
    running.until(GaveBack(1, "cancelled"))
    assert running.runtime.tiles_run == 2
    assert not (tmp_path / "out").exists()


def test_an_interrupted_page_is_cancelled_without_harm_to_the_reader(running: Running, tmp_path: Path) -> None:
    low = start(1, page_file(tmp_path, "a.png", 1, **LARGE), tmp_path / "out")
    high = start(2, page_file(tmp_path, "b.png", 2, **LARGE), tmp_path / "out", Priority.READING)
    running.at[2] = lambda: (running.lane.start(high), running.until_ready(2))  # type: ignore[assignment]
    running.at[4] = lambda: running.lane.cancel(1)
    running.lane.start(low)
    running.until(GaveBack(1, "cancelled"))
    tiles = running.done(2).facts["passes"][0]["tiles"]
    assert running.runtime.tiles_run == tiles + 2


@pytest.mark.parametrize("reason", ["cancelled", "dropped"])
def test_a_page_that_waits_goes_back_at_once(running: Running, tmp_path: Path, reason: str) -> None:
    def call_back() -> None:
        running.lane.start(start(2, page_file(tmp_path, "b.png", 2), tmp_path / "out"))
        running.until_ready(2)
        (running.lane.cancel if reason == "cancelled" else running.lane.drop)(2)
        running.until(GaveBack(2, reason))  # type: ignore[arg-type]

    running.at[2] = call_back
    running.lane.start(start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
    running.done(1)
    assert not (tmp_path / "out" / "b.png").exists()


def test_a_page_being_computed_is_not_dropped(running: Running, tmp_path: Path) -> None:
    running.at[2] = lambda: running.lane.drop(1)
    running.lane.start(start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
    assert running.done(1).computed
    assert running.of(GaveBack) == []


def test_calling_back_what_is_not_there_is_nothing(running: Running, tmp_path: Path) -> None:
    running.lane.cancel(99)
    running.lane.drop(99)
    running.lane.start(start(1, page_file(tmp_path), tmp_path / "out"))
    running.done(1)
    assert running.of(GaveBack) == []


def test_finishing_gives_back_what_waits_and_finishes_the_rest(running: Running, tmp_path: Path) -> None:
    def finish() -> None:
        for task in (2, 3):
            running.lane.start(start(task, page_file(tmp_path, f"{task}.png", task), tmp_path / "out"))
        running.until_ready(2)
        running.lane.finish()

    running.at[2] = finish
    running.lane.start(start(1, page_file(tmp_path, **LARGE), tmp_path / "out"))
    running.done(1)
    running.until(GaveBack(2, "dropped"), GaveBack(3, "dropped"))


# ---- faults ----


def test_one_page_that_fails_stops_nobody_else(running: Running, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "file").write_bytes(b"")
    good = page_file(tmp_path)
    no_target = replace(start(3, good, tmp_path / "out"), targets={".jpg": "a.jpg"})
    running.lane.start(start(1, tmp_path / "broken.png", tmp_path / "out"))
    running.lane.start(start(2, good, tmp_path / "file" / "out"))
    running.lane.start(no_target)
    running.lane.start(start(4, tmp_path / "missing.png", tmp_path / "out"))
    running.lane.start(start(5, good, tmp_path / "out"))
    running.done(5)
    for task, code in ((1, "bad_picture"), (2, "storage"), (3, "internal"), (4, "bad_picture")):
        running.until_task(Failed, task)
        assert running.of(Failed, task)[0].failure.code == code
    assert "KeyError" in running.of(Failed, 3)[0].failure.text("en")


def test_memory_the_process_does_not_get_is_the_pages_own_fault(running: Running, tmp_path: Path) -> None:
    def no_memory() -> None:
        raise MemoryError

    running.at[1] = no_memory
    running.lane.start(start(1, page_file(tmp_path), tmp_path / "out"))
    running.lane.start(start(2, page_file(tmp_path, "b.png", 2), tmp_path / "out"))
    running.done(2)
    assert running.of(Failed, 1)[0].failure.code == "out_of_memory"


def test_pages_come_out_of_folders_and_archives(running: Running, tmp_path: Path) -> None:
    from zipfile import ZipFile

    page_file(tmp_path / "book" / "sub", "1.png", 1)
    with ZipFile(tmp_path / "book.cbz", "w") as archive:
        archive.writestr("sub/1.png", encode(picture(noise(1, 30, 30)), format="png").data)
    for task, (kind, path) in enumerate([("folder", "book"), ("archive", "book.cbz")]):
        source = JobSource(kind, tmp_path / path)  # type: ignore[arg-type]
        message = start(task, tmp_path / "sub" / "1.png", tmp_path / kind, source=source, name="sub/1.png")
        running.lane.start(message)
        running.done(task)
    assert running.done(0).input_sha256 == running.done(1).input_sha256
