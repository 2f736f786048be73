"""Tiled equals whole: within a bound for local networks, without a visible seam for those that average."""

from __future__ import annotations

import numpy as np
import pytest
from drawings import Pixels, coloured, enlarge, psnr

from enlarger.enhance import Enhancer
from enlarger.models import Variant
from packaged_cards import packaged_cards

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_WHOLE_PX = 4096
_SLOW = {"realesrgan-x4plus", "realesrgan-x4plus-anime", "realsr-df2k"}
_P999_LIMIT, _MAX_LIMIT = 1, 4  # of 255
_LEAST_DB = 45


def cases(*, local: bool) -> list[object]:
    """One network a scale: levels of noise reduction share their architecture."""
    return [
        pytest.param(card.variant(scale, card.noises(scale)[0]), id=f"{card.name}-{scale}x")
        for card in packaged_cards()
        for scale in card.scales
        if card.variant(scale, card.noises(scale)[0]).local == local
    ]


def tiled_and_whole(enhancer: Enhancer, variant: Variant) -> tuple[Pixels, Pixels, tuple[int, int]]:
    """The page by tiles and in one, and the useful (height, width) of a tile in output pixels."""
    width, height, tile_px = (96, 40, 48) if variant.name in _slow_names() else (200, 120, 64)
    page = coloured(4, width, height)
    tiled, how = enlarge(enhancer, page, variant, tile_px=tile_px)
    whole, wholly = enlarge(enhancer, page, variant, tile_px=_WHOLE_PX)
    (by_tiles,), (at_once,) = how.facts.passes, wholly.facts.passes
    assert by_tiles.tiles >= 2
    assert at_once.tiles == 1
    assert by_tiles.dtype == at_once.dtype == "fp32"
    useful = tuple((side - 2 * variant.halo) * variant.scale for side in by_tiles.tile)
    print(f"{variant.name}: halo {variant.halo}, useful share {by_tiles.useful_share:.0%} of {by_tiles.tiles} tiles")
    return tiled, whole, (useful[0], useful[1])


def _slow_names() -> set[str]:
    return {v.name for card in packaged_cards() if card.name in _SLOW for v in card.variants}


def islands(seed: int, width: int, height: int) -> Pixels:
    """A page and a bit of it on two flat colours."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = (255, 255, 255), (196, 150, 90)
    pixels[30:90, 40:130] = coloured(seed, 200, 120)[20:80, 30:120]
    pixels[height - 40 : height - 30, width - 70 : width - 50] = coloured(seed, 200, 120)[:10, :20]
    return pixels


def along_seams(difference: Pixels, useful: tuple[int, int]) -> tuple[float, float]:
    """The mean difference within 2 px of a border between tiles, and elsewhere."""
    near = np.zeros(difference.shape[:2], bool)
    for axis, step in enumerate(useful):
        for border in range(step, difference.shape[axis], step):
            near[(slice(None),) * axis + (slice(border - 2, border + 2),)] = True
    return float(difference[near].mean()), float(difference[~near].mean())


@pytest.mark.parametrize("variant", cases(local=True))
def test_a_local_network_shows_no_tiles(enhancer: Enhancer, variant: Variant) -> None:
    tiled, whole, _ = tiled_and_whole(enhancer, variant)
    difference = np.abs(tiled.astype(np.int16) - whole)
    p999, worst = float(np.percentile(difference, 99.9)), int(difference.max())
    print(f"{variant.name}: p99.9 {p999:g}/255, at most {worst}/255")
    assert p999 <= _P999_LIMIT
    assert worst <= _MAX_LIMIT


@pytest.mark.parametrize("variant", cases(local=False))
def test_a_network_that_averages_shows_no_seam(enhancer: Enhancer, variant: Variant) -> None:
    tiled, whole, useful = tiled_and_whole(enhancer, variant)
    difference = np.abs(tiled.astype(np.int16) - whole).astype(np.float32)
    nearness_db = psnr(tiled, whole)
    seam, elsewhere = along_seams(difference, useful)
    print(f"{variant.name}: {nearness_db:.1f} dB; off by {seam:.3f}/255 along seams, {elsewhere:.3f}/255 elsewhere")
    assert nearness_db >= _LEAST_DB
    assert seam <= 2 * elsewhere + 0.05


def narrow_halos() -> list[object]:
    """Networks whose flat areas are spared on a small picture; of the others only large ones have any."""
    variants = (case.values[0] for local in (True, False) for case in cases(local=local))  # type: ignore[attr-defined]
    return [
        pytest.param(variant, id=variant.name)
        for variant in variants
        if variant.halo < 20 and not variant.remainder and variant.scale == 2
    ]


@pytest.mark.parametrize("variant", narrow_halos())
def test_flat_areas_that_are_filled_have_no_edges(enhancer: Enhancer, variant: Variant) -> None:
    page = islands(4, 360, 240)
    filled, how = enlarge(enhancer, page, variant, tile_px=96)
    whole, wholly = enlarge(enhancer, page, variant, tile_px=_WHOLE_PX)
    assert how.facts.passes[0].filled_share > 0.3
    assert wholly.facts.passes[0].filled_share == 0
    difference = np.abs(filled.astype(np.int16) - whole)
    p999, worst = float(np.percentile(difference, 99.9)), int(difference.max())
    print(f"{variant.name}: {psnr(filled, whole):.1f} dB, p99.9 {p999:g}/255, at most {worst}/255")
    if variant.local:
        assert p999 <= _P999_LIMIT
        assert worst <= _MAX_LIMIT
    else:
        assert psnr(filled, whole) >= _LEAST_DB
