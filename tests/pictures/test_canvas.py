"""Outputs that the codecs read where they lie."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from picture_making import MODES_OF, noise

from enlarger.pictures import Metadata, Picture, canvas, encode
from enlarger.pictures.canvas import colour_image


@pytest.mark.parametrize("kind", MODES_OF)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_canvas_gives_the_same_file_as_any_array(kind: str, channels: int, with_alpha: bool) -> None:
    colours, mask = noise(33, 21, channels), noise(33, 21, 1)[..., 0]
    pixels, alpha = canvas(33, 21, channels, alpha=with_alpha)
    assert pixels.shape == colours.shape
    assert (alpha is None) == (not with_alpha)
    pixels[...] = colours
    if alpha is not None:
        alpha[...] = mask
    plain = Picture(colours, mask if with_alpha else None, Metadata(), "png")
    on_canvas = Picture(pixels, alpha, Metadata(), "png")
    assert encode(on_canvas, format=kind) == encode(plain, format=kind)


@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_canvas_is_shared_with_pillow(with_alpha: bool) -> None:
    pixels, alpha = canvas(5, 7, 3, alpha=with_alpha)
    pixels[...] = 1
    image = colour_image(pixels, alpha)
    pixels[2, 3] = (50, 60, 70)
    assert image.getpixel((3, 2))[:3] == (50, 60, 70)


def test_views_that_only_look_like_a_canvas_are_copied() -> None:
    memory = noise(6, 8, 4)
    for view in (memory[..., 1:], memory[..., 2::-1], memory[::-1, :, :3], memory[:5, :, :3]):
        image = colour_image(view, None)
        assert np.array_equal(np.asarray(image.convert("RGB")), view)


def test_alpha_from_elsewhere_is_used_not_the_canvas_own() -> None:
    pixels, own = canvas(6, 8, 3, alpha=True)
    assert own is not None
    pixels[...] = 9
    own[...] = 1
    other = noise(6, 8, 1)[..., 0]
    assert np.array_equal(np.asarray(colour_image(pixels, other))[..., 3], other)
    assert (own == 1).all()


def test_a_canvas_is_encoded_without_a_copy() -> None:
    pixels, _ = canvas(2000, 1000, 3)
    pixels[...] = 128
    tracemalloc.start()
    try:
        encode(Picture(pixels, None, Metadata(), "png"), format="jpeg")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < pixels.nbytes / 4
