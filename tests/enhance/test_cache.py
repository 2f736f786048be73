"""The cache: whole or absent, never stale, bounded, and never shared with a person's own file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from enlarger.enhance import RenderCache
from enlarger.enhance.cache import place
from enlarger.storage import TEMPORARY_PREFIX

FACTS = {"size": [4, 5]}


def key(number: int) -> str:
    return f"{number:064x}"


def used_ago(cache: RenderCache, number: int, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(cache.folder / key(number)[:2] / f"{key(number)}.json", (then, then))


def test_what_was_put_is_got(cache: RenderCache) -> None:
    put = cache.put(key(1), b"picture", "jpeg", FACTS)
    got = cache.get(key(1))
    assert got is not None
    assert (got.path.read_bytes(), got.format, got.suffix, got.facts["size"]) == (b"picture", "jpeg", ".jpg", [4, 5])
    assert got.facts == json.loads(json.dumps(put.facts))
    assert cache.get(key(2)) is None


@pytest.mark.parametrize("harm", ["file gone", "file longer", "facts cut", "facts empty", "facts of another kind"])
def test_a_harmed_render_is_no_hit(cache: RenderCache, harm: str) -> None:
    render = cache.put(key(1), b"picture", "png", FACTS)
    facts = render.path.with_suffix(".json")
    if harm == "file gone":
        render.path.unlink()
    elif harm == "file longer":
        render.path.write_bytes(b"picture, edited")
    elif harm == "facts cut":
        facts.write_bytes(facts.read_bytes()[:-20])
    else:
        facts.write_text("" if harm == "facts empty" else "[]")
    assert cache.get(key(1)) is None


def test_a_rotten_render_is_no_hit_and_is_healed_by_the_next_put(cache: RenderCache, tmp_path: Path) -> None:
    render = cache.put(key(1), b"picture", "png", FACTS)
    target = tmp_path / "out" / "page.png"
    place(render, target, link=True)
    before = target.stat()
    target.write_bytes(b"picturE")  # the output and the cache share the file
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.get(key(1)) is None
    place(cache.put(key(1), b"picture", "png", FACTS), target, link=True)
    assert cache.get(key(1)) is not None
    assert target.read_bytes() == b"picture"


def test_a_file_that_was_only_touched_is_a_hit(cache: RenderCache) -> None:
    os.utime(cache.put(key(1), b"picture", "png", FACTS).path, (1, 1))
    assert cache.get(key(1)) is not None


def test_the_longest_unused_goes_first(settings_dir: Path) -> None:
    cache = RenderCache(settings_dir, max_bytes=10_000)
    for number in range(8):
        cache.put(key(number), bytes(1000), "png", FACTS)
        used_ago(cache, number, 1000 - number)
    cache = RenderCache(settings_dir, max_bytes=10_000)  # another process
    cache.get(key(0))  # used just now
    cache.put(key(8), bytes(1000), "png", FACTS)
    cache.put(key(9), bytes(1000), "png", FACTS)
    assert cache.get(key(0)) is not None
    assert cache.get(key(1)) is None
    assert cache.get(key(9)) is not None
    assert cache.stats().total_bytes <= 10_000


@pytest.fixture
def settings_dir(tmp_path: Path) -> Path:
    return tmp_path / "renders"


def test_clean_by_age_by_size_and_all(cache: RenderCache) -> None:
    for number in range(4):
        cache.put(key(number), bytes(1000), "png", FACTS)
        used_ago(cache, number, 100 * (4 - number))
    assert cache.clean(unused_for_s=350) == 1
    total = cache.stats().total_bytes
    assert cache.clean(unused_for_s=float("inf"), max_bytes=total - 1) == 1
    assert cache.stats().total_files == 2
    assert cache.clean() == 2
    assert cache.stats().total_bytes == 0


def test_a_render_that_is_open_is_found_again_at_the_next_clean(
    cache: RenderCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def refuse(path: Path, **where: int) -> None:
        if Path(path).suffix == ".webp":
            raise PermissionError(13, "in use")
        unlink(path, **where)

    cache.put(key(1), b"render", "webp", {})
    with monkeypatch.context() as patch:  # as Windows does while a client is sent it
        patch.setattr(os, "unlink", refuse)
        assert cache.clean() == 0
    assert cache.stats().total_files == 1
    assert cache.clean() == 1
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def test_leftovers_of_killed_processes_are_swept(cache: RenderCache) -> None:
    render = cache.put(key(1), b"picture", "png", FACTS)
    old, fresh = (render.path.with_name(f"{TEMPORARY_PREFIX}{name}.png") for name in ("old", "fresh"))
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    cache.clean(unused_for_s=float("inf"))
    assert (old.exists(), fresh.exists()) == (False, True)  # the fresh one may be being written


def test_a_persons_copy_is_their_own_and_a_part_is_linked(cache: RenderCache, tmp_path: Path) -> None:
    render = cache.put(key(1), b"picture", "png", FACTS)
    for link in (False, True):
        target = tmp_path / "out" / f"{link}.png"
        place(render, target, link=link)
        place(render, target, link=link)  # again: replaces, leaves nothing behind
        assert target.read_bytes() == b"picture"
        assert target.samefile(render.path) is link
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_part_on_another_file_system_is_copied(
    cache: RenderCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_links)
    place(cache.put(key(1), b"picture", "png", FACTS), tmp_path / "part.png", link=True)
    assert (tmp_path / "part.png").read_bytes() == b"picture"
