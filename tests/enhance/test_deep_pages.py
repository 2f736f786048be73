"""Sixteen bits through the model, and animations as one render: with the fake, which is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enlarger.enhance import Enhancer, RenderCache, Rendering, Source, make_recipe
from enlarger.enhance.checks import are_plausible
from enlarger.enhance.denoise import blend
from enlarger.enhance.facts import notes_in
from enlarger.enhance.frames import repeats
from enlarger.enhance.resample import as_floats, from_floats, resample
from enlarger.errors import PictureError
from enlarger.pictures import Animation, Frame, Metadata, Picture, decode, encode
from enlarger.runtimes import FakeRuntime

MODEL = {"model": "realesr-animevideov3", "scale": 2}


def samples(height: int = 40, width: int = 50, channels: int = 3, seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 65536, (height, width, channels), dtype=np.uint16)
    pixels[0, 0] = [9, 40_000, 65_535][:channels]
    return pixels


def deep(channels: int = 3, alpha: np.ndarray | None = None) -> Picture:
    return Picture(samples(channels=channels), alpha, Metadata(), "png", bits=16)


def eight(seed: int) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    pixels[0, 0] = (9, 90, 250)
    return pixels


def moving(seeds: tuple[int, ...] = (0, 1, 0, 2), alpha: bool = False) -> Picture:
    masks = [eight(seed + 50)[..., 0] if alpha else None for seed in seeds]
    frames = [Frame(eight(seed), mask) for seed, mask in zip(seeds, masks, strict=True)]
    times = tuple(100 + 10 * index for index in range(len(seeds)))
    return Picture(frames[0].pixels, masks[0], Metadata(), "png", animation=Animation(tuple(frames[1:]), times, 3))


def doubled(pixels: np.ndarray) -> np.ndarray:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


@pytest.mark.parametrize("tta", [False, True])
def test_every_one_of_65536_levels_passes_through(enhancer: Enhancer, tta: bool) -> None:
    result = enhancer.enlarge(deep(), make_recipe(enhancer.catalog, tta=tta, **MODEL)).picture
    assert result.pixels.dtype == np.uint16
    assert np.array_equal(result.pixels, doubled(deep().pixels))


def test_deep_grey_stays_grey_and_deep_alpha_deep(enhancer: Enhancer) -> None:
    alpha = samples(channels=1, seed=7)[..., 0]
    result = enhancer.enlarge(deep(1, alpha), make_recipe(enhancer.catalog, **MODEL)).picture
    assert np.array_equal(result.pixels, doubled(deep(1).pixels))
    assert result.alpha is not None
    assert np.array_equal(result.alpha, doubled(alpha))


def test_tiles_are_stitched_to_the_last_bit(enhancer: Enhancer) -> None:
    recipe = make_recipe(enhancer.catalog, tile_px=32, **MODEL)
    enlarged = enhancer.enlarge(deep(), recipe)
    assert enlarged.facts.passes[0].tiles > 1
    assert np.array_equal(enlarged.picture.pixels, doubled(deep().pixels))


def test_sixteen_bits_are_computed_in_fp32_and_eight_as_the_recipe_says(enhancer: Enhancer) -> None:
    recipe = make_recipe(enhancer.catalog, **MODEL)
    assert enhancer.enlarge(deep(), recipe).facts.passes[0].dtype == "fp32"
    shallow = Picture(eight(0), None, Metadata(), "png")
    assert enhancer.enlarge(shallow, recipe).facts.passes[0].dtype == "bf16"
    assert {spec.pixels for _, spec in enhancer.resident()} == {"float32", "uint8"}


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_a_deep_page_is_a_deep_render(enhancer: Enhancer, cache: RenderCache, kind: str) -> None:
    source = Source.of_bytes(encode(deep(), format=kind).data)
    render = Rendering(enhancer, cache, make_recipe(enhancer.catalog, **MODEL)).render(source)
    assert (render.format, render.facts["bits"], render.facts["notes"]) == (kind, 16, [])
    assert np.array_equal(decode(render.path.read_bytes(), name="x").pixels, doubled(deep().pixels))


def test_resampling_keeps_sixteen_bits() -> None:
    ramp = np.linspace(0, 65535, 200).astype(np.uint16)[None, :, None].repeat(8, axis=0)
    small = resample(ramp, 100, 4)
    assert (small.dtype, small.shape) == (np.uint16, (4, 100, 1))
    assert np.abs(small[1, 5:-5, 0] - ramp[0, 10:-10, 0].reshape(-1, 2).mean(axis=1)).max() < 60
    assert resample(np.full((4, 4, 3), 65535, np.uint16), 7, 9).min() == 65535


def test_floats_carry_every_level() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    assert np.array_equal(from_floats(as_floats(levels), 3), levels)
    assert np.array_equal(from_floats(as_floats(levels), 1), levels[..., :1])


def test_blending_and_checks_know_the_depth() -> None:
    one, other = np.full((3, 3, 3), 1000, np.uint16), np.full((3, 3, 3), 2001, np.uint16)
    assert blend(one, other, 0.5)[0, 0, 0] in (1500, 1501)
    assert not are_plausible([samples()], [np.zeros((80, 100, 3), np.uint16)])
    assert are_plausible([samples() // 60], [np.full((80, 100, 3), 300, np.uint16)])  # no more contrast than paper


# ---- animations ----


def test_all_frames_are_enlarged_and_keep_their_times(enhancer: Enhancer, runtime: FakeRuntime) -> None:
    picture = moving()
    shares: list[float] = []
    result = enhancer.enlarge(picture, make_recipe(enhancer.catalog, **MODEL), progress=shares.append).picture
    assert result.animation is not None
    assert (result.animation.durations_ms, result.animation.plays) == ((100, 110, 120, 130), 3)
    for before, after in zip(picture.frames, result.frames, strict=True):
        assert np.array_equal(after.pixels, doubled(before.pixels))
    assert runtime.tiles_run == 3  # the third frame is the first one again
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_each_frame_has_its_own_alpha(enhancer: Enhancer) -> None:
    picture = moving(alpha=True)
    result = enhancer.enlarge(picture, make_recipe(enhancer.catalog, **MODEL)).picture
    for before, after in zip(picture.frames, result.frames, strict=True):
        assert before.alpha is not None
        assert after.alpha is not None
        assert np.array_equal(after.alpha, doubled(before.alpha))


def test_a_frame_without_shape_in_its_alpha_keeps_one_value(enhancer: Enhancer) -> None:
    picture = moving(alpha=True)
    opaque = replace(picture.frames[1], alpha=np.broadcast_to(np.uint8(255), (30, 20)))
    mixed = picture.with_frames((picture.frames[0], opaque, *picture.frames[2:]))
    after = enhancer.enlarge(mixed, make_recipe(enhancer.catalog, **MODEL)).picture.frames[1]
    assert after.alpha is not None
    assert (after.alpha.shape, after.alpha.strides) == ((60, 40), (0, 0))


@pytest.mark.parametrize("kind", ["png", "webp", "gif", "avif"])
def test_an_animation_is_one_render(enhancer: Enhancer, cache: RenderCache, kind: str) -> None:
    source = Source.of_bytes(encode(moving(), format="png").data)
    render = Rendering(enhancer, cache, make_recipe(enhancer.catalog, format=kind, **MODEL)).render(source)
    assert (render.format, render.facts["frames"]) == (kind, 4)
    again = decode(render.path.read_bytes(), name="x")
    assert again.animation is not None
    assert again.animation.durations_ms == (100, 110, 120, 130)


def test_where_nothing_moves_only_the_first_frame_is_computed(
    enhancer: Enhancer, cache: RenderCache, runtime: FakeRuntime
) -> None:
    source = Source.of_bytes(encode(moving(), format="png").data)
    render = Rendering(enhancer, cache, make_recipe(enhancer.catalog, format="jpeg", **MODEL)).render(source)
    assert runtime.tiles_run == 1
    assert "only the first was kept" in notes_in(render.facts)[0].text("en")


def test_more_frames_than_memory_holds_are_refused_with_a_remedy(
    enhancer: Enhancer, cache: RenderCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source.of_bytes(encode(moving(), format="png").data)
    monkeypatch.setattr("enlarger.enhance.rendering.allowed_memory_bytes", lambda: 60 * 40 * 8 * 3)
    rendering = Rendering(enhancer, cache, make_recipe(enhancer.catalog, **MODEL))
    with pytest.raises(PictureError, match="4 frames of 40 x 60 pixels are more than memory holds"):
        rendering.prepare(source)


def test_frames_that_come_again_are_found() -> None:
    frames = moving().frames
    assert list(repeats(frames)) == [None, None, 0, None]
    assert list(repeats(frames[:1])) == [None]
    masked = replace(frames[0], alpha=np.zeros((30, 20), np.uint8))
    assert list(repeats((frames[0], masked))) == [None, None]
