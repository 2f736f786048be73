"""Any picture through any format and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from picture_making import XMP, exif_of, grey_profile, rgb_profile

from enlarger.pictures import Metadata, Picture, decode, encode


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    height, width, channels = draw(st.integers(1, 50)), draw(st.integers(1, 50)), draw(st.sampled_from([1, 3]))
    pixels = draw(npst.arrays(np.uint8, (height, width, channels), fill=st.integers(0, 255)))
    alpha = draw(st.none() | npst.arrays(np.uint8, (height, width), fill=st.integers(0, 255)))
    metadata = Metadata(
        exif=draw(st.sampled_from([None, exif_of(Orientation=1, Make="Camera")[6:]])),
        xmp=draw(st.sampled_from([None, XMP % 1])),
        icc=draw(st.sampled_from([None, rgb_profile(), grey_profile() if channels == 1 else rgb_profile()])),
        dpi=draw(st.none() | st.tuples(st.integers(1, 5000), st.integers(1, 5000))),
    )
    return Picture(pixels, alpha, metadata, "png")


def shown(picture: Picture) -> np.ndarray:
    return np.broadcast_to(picture.pixels, (*picture.pixels.shape[:2], 3))


@given(pictures())
def test_png_gives_everything_back(picture: Picture) -> None:
    encoded = encode(picture, format="png")
    again = decode(encoded.data, name="x")
    assert np.array_equal(shown(again), shown(picture))
    assert (again.alpha is None) == (picture.alpha is None)
    if picture.alpha is not None:
        assert np.array_equal(again.alpha, picture.alpha)
    assert (again.metadata.exif, again.metadata.xmp) == (picture.metadata.exif, picture.metadata.xmp)
    assert not encoded.notes
    assert not again.notes
    assert encode(again, format="png").data == encoded.data or picture.pixels.shape != again.pixels.shape


@given(pictures())
def test_lossless_webp_gives_the_pixels_back(picture: Picture) -> None:
    again = decode(encode(picture, format="webp", lossless=True).data, name="x")
    if "to sRGB" not in " ".join(note.text("en") for note in encode(picture, format="webp").notes):
        assert np.array_equal(shown(again), shown(picture))
    alpha = np.full(picture.pixels.shape[:2], 255) if picture.alpha is None else picture.alpha
    assert np.array_equal(255 if again.alpha is None else again.alpha, alpha) or (
        again.alpha is None and (alpha == 255).all()
    )


@given(pictures(), st.sampled_from(["jpeg", "webp"]), st.integers(1, 100))
def test_lossy_formats_keep_size_and_greyness(picture: Picture, kind: str, quality: int) -> None:
    encoded = encode(picture, format=kind, quality=quality)
    again = decode(encoded.data, name="x")
    assert encoded.format == again.format == kind
    assert again.pixels.shape[:2] == picture.pixels.shape[:2]
    assert again.pixels.shape[2] <= picture.pixels.shape[2]
    assert (again.metadata.dpi is None) == (picture.metadata.dpi is None)
