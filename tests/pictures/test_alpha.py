"""Colour carried under transparency, and transparency laid on white."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from picture_making import noise

from enlarger.pictures import alpha as alpha_module
from enlarger.pictures import bleed
from enlarger.pictures.alpha import on_white

SIDES = st.integers(1, 40)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    height, width, channels = draw(SIDES), draw(SIDES), draw(st.sampled_from([1, 3]))
    pixels = draw(npst.arrays(np.uint8, (height, width, channels)))
    alpha = draw(npst.arrays(np.uint8, (height, width), elements=st.sampled_from([0, 0, 0, 1, 90, 255])))
    return pixels, alpha


@given(pictures())
def test_visible_pixels_stay_and_hidden_ones_lie_among_them(given_picture: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, alpha = given_picture
    before = pixels.copy()
    filled = bleed(pixels, alpha)
    visible = alpha > 0
    assert np.array_equal(pixels, before)
    assert filled.shape == pixels.shape
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[visible], pixels[visible])
    if visible.any():
        assert (filled >= pixels[visible].min(axis=0)).all()
        assert (filled <= pixels[visible].max(axis=0)).all()
    else:
        assert filled is pixels


@given(pictures(), st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_one_visible_colour_fills_everything(
    given_picture: tuple[np.ndarray, np.ndarray], colour: tuple[int, int, int]
) -> None:
    alpha = given_picture[1].copy()
    alpha[0, 0] = 255
    pixels = np.where(alpha[..., None] > 0, np.uint8(colour), np.uint8(0))
    assert (bleed(pixels, alpha) == colour).all()


def test_what_hidden_pixels_were_does_not_matter() -> None:
    alpha = noise(50, 60, 1)[..., 0] // 128 * 255
    shown = noise(50, 60, 3, seed=1)
    black, white = (np.where(alpha[..., None] > 0, shown, np.uint8(value)) for value in (0, 255))
    assert np.array_equal(bleed(black, alpha), bleed(white, alpha))


def test_the_nearest_colour_wins() -> None:
    pixels = np.zeros((64, 64, 1), np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    pixels[:, :8], alpha[:, :8] = 250, 255
    pixels[:, -8:], alpha[:, -8:] = 10, 255
    filled = bleed(pixels, alpha)[..., 0]
    assert filled[:, 9].min() > 235
    assert filled[:, -10].max() < 25
    assert (np.diff(filled[32].astype(int)) <= 0).all()


def test_faint_pixels_count_less() -> None:
    pixels = np.array([[[250], [10]], [[99], [99]]], np.uint8)
    assert bleed(pixels, np.array([[1, 255], [0, 0]], np.uint8))[1].ravel().tolist() == [11, 11]


def test_there_is_no_seam_between_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, alpha = noise(101, 67, 3), noise(101, 67, 1, seed=2)[..., 0] // 250 * 255
    whole = bleed(pixels, alpha)
    monkeypatch.setattr(alpha_module, "_BAND_PIXELS", 67 * 6)
    assert np.array_equal(bleed(pixels, alpha), whole)


def test_strided_pixels_are_taken() -> None:
    memory = noise(20, 30, 4)
    alpha = memory[..., 3] // 128
    assert np.array_equal(bleed(memory[..., :3], alpha), bleed(memory[..., :3].copy(), alpha.copy()))


@given(pictures())
def test_on_white_is_the_rounded_mixture(given_picture: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, alpha = given_picture
    weight = alpha[..., None] / 255
    exact = pixels * weight + 255 * (1 - weight)
    assert np.abs(on_white(pixels, alpha) - exact).max() <= 0.5 + 1e-9
