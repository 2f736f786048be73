"""Tile limits: several that work side by side plan with a part of the memory each."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.enhance import Enhancer
from enlarger.enhance.tile_limits import TileLimits
from enlarger.models import Graph, Variant, load_catalog
from enlarger.settings import Settings

_GIB = 1024**3


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 GiB, of which a pixel takes 4 KiB."""
    monkeypatch.setattr("enlarger.enhance.tile_limits.allowed_memory_bytes", lambda: 8 * _GIB)
    monkeypatch.setattr("enlarger.enhance.tile_limits.tile_bytes", lambda _graph, tile, **_: tile[0] * tile[1] * 4096)


def limit_px(limits: TileLimits, name: str) -> int:
    return limits.limit_px(Graph(Path("x"), "digest", variant(name), None))


def variant(name: str) -> Variant:
    return load_catalog().choose(name).variant


def test_a_budget_is_divided_by_who_shares_it(settings: Settings) -> None:
    alone, four = TileLimits(settings), TileLimits(settings, sharers=4)
    assert limit_px(alone, "realesrgan-x4plus-anime") == pytest.approx(8 * _GIB / 6 / 4096, abs=1)
    assert limit_px(four, "realesrgan-x4plus-anime") == pytest.approx(8 * _GIB / 24 / 4096, abs=1)


def test_where_the_tile_changes_the_result_it_stays_while_memory_holds_it(settings: Settings) -> None:
    limits = {sharers: limit_px(TileLimits(settings, sharers=sharers), "waifu2x-cunet") for sharers in (1, 2, 8)}
    assert limits[1] == limits[2] > limits[8]


def test_what_a_person_set_is_for_each(settings: Settings) -> None:
    set_by_hand = settings.model_copy(update={"memory_budget": _GIB})
    limits = [TileLimits(set_by_hand, sharers=sharers) for sharers in (1, 4)]
    assert len({limit_px(each, "realesrgan-x4plus-anime") for each in limits}) == 1


def test_an_enhancer_shares_on_every_device(settings: Settings) -> None:
    enhancer = Enhancer(settings)
    whole = limit_px(enhancer.limits, "realesrgan-x4plus-anime")
    enhancer.share_memory(2)
    for each in (enhancer, enhancer.on("cpu")):
        assert limit_px(each.limits, "realesrgan-x4plus-anime") == whole // 2
