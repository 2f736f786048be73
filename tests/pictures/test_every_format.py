"""Any picture through any format: whole, or the loss is told; and whatever a file of any format is damaged into."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from conformance import MADE
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from picture_making import XMP, exif_of, grey_profile, noise, rgb_profile

from enlarger.errors import PictureError
from enlarger.pictures import FORMATS, Animation, Encoded, Frame, Metadata, Picture, decode, encode

NAME = "vol 1/第3頁.heic"
EXACT = {"png", "tiff", "webp", "jxl", "heic", "bmp"}


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    height, width, channels = draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.sampled_from([1, 3]))
    dtype = np.uint16 if draw(st.booleans()) else np.uint8
    count = draw(st.sampled_from([1, 1, 1, 2, 3]))
    has_alpha = draw(st.booleans())

    def plane(*shape: int) -> np.ndarray:
        return draw(npst.arrays(dtype, shape, fill=st.integers(0, np.iinfo(dtype).max)))

    frames = [Frame(plane(height, width, channels), plane(height, width) if has_alpha else None) for _ in range(count)]
    times = tuple(draw(st.integers(20, 5000)) for _ in frames)
    metadata = Metadata(
        exif=draw(st.sampled_from([None, exif_of(Orientation=1, Make="Camera")[6:], exif_of(order=">", Make="C")[6:]])),
        xmp=draw(st.sampled_from([None, XMP % 1])),
        icc=draw(st.sampled_from([None, rgb_profile(), grey_profile() if channels == 1 else rgb_profile()])),
        dpi=draw(st.none() | st.tuples(st.integers(1, 5000), st.integers(1, 5000))),
    )
    animation = Animation(tuple(frames[1:]), times, draw(st.integers(0, 5))) if count > 1 else None
    bits = 16 if dtype == np.uint16 else 8
    return Picture(frames[0].pixels, frames[0].alpha, metadata, "png", bits=bits, animation=animation)


def told(encoded: Encoded) -> str:
    return " ".join(note.text("en") for note in encoded.notes)


@given(pictures(), st.sampled_from(sorted(FORMATS)), st.booleans())
@settings(max_examples=120, deadline=None)
def test_what_does_not_come_back_was_told(picture: Picture, kind: str, lossless: bool) -> None:
    encoded = encode(picture, format=kind, lossless=lossless)
    again = decode(encoded.data, name="x")
    notes = told(encoded)
    assert (again.format, again.width, again.height) == (encoded.format, picture.width, picture.height)
    assert encoded.format == kind or "written as" in notes
    for block in picture.metadata.kinds:
        kept = getattr(again.metadata, block) is not None
        assert kept == (block in encoded.kept)
        is_srgb = block == "icc" and picture.metadata.icc == rgb_profile()
        assert kept or is_srgb or block.upper() in notes or "resolution" in notes or "profile" in notes
    assert again.is_deep or not picture.is_deep or "rounded to 8" in notes
    assert again.alpha is not None or picture.alpha is None or "laid on white" in notes or _is_opaque(picture)
    assert not _moves(picture) or again.animation is not None or "only the first" in notes


@given(pictures(), st.sampled_from(sorted(EXACT)))
@settings(max_examples=60, deadline=None)
def test_lossless_formats_give_every_pixel_back(picture: Picture, kind: str) -> None:
    picture = replace(picture, metadata=replace(picture.metadata, icc=None), animation=None)
    encoded = encode(picture, format=kind, lossless=True)
    again = decode(encoded.data, name="x")
    if "rounded" in told(encoded) or "10 bits" in told(encoded):
        return
    shape = (picture.height, picture.width, 3)
    assert np.array_equal(np.broadcast_to(again.pixels, shape), np.broadcast_to(picture.pixels, shape))
    if picture.alpha is not None and again.alpha is not None:
        assert np.array_equal(again.alpha, picture.alpha)


def _is_opaque(picture: Picture) -> bool:
    return all(
        frame.alpha is None or (frame.alpha == np.iinfo(frame.alpha.dtype).max).all() for frame in picture.frames
    )


def _moves(picture: Picture) -> bool:
    """So that all can see it: frames that look alike may become one that stays longer."""
    first, *later = picture.frames
    most = np.iinfo(first.pixels.dtype).max
    far = [np.abs(frame.pixels.astype(int) - first.pixels).mean() > most / 4 for frame in later]
    return any(far) and picture.alpha is None


@cache
def files() -> dict[tuple[str, str], bytes]:
    """One of each kind that other libraries write."""
    return {(prop, kind): make(kind) for prop, (make, kinds) in MADE.items() for kind in sorted(kinds)}


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_gives_a_picture_or_an_error_with_name_and_remedy(data: st.DataObject) -> None:
    made = bytearray(files()[data.draw(st.sampled_from(sorted(files())))])
    changes = data.draw(st.lists(st.tuples(st.integers(0, len(made) - 1), st.integers(0, 255)), min_size=1, max_size=6))
    for at, value in changes:
        made[at] = value
    _decode_or_refuse(bytes(made))


@given(st.data(), st.floats(0, 0.999))
@settings(max_examples=100, deadline=None)
def test_a_file_cut_short_is_refused_with_name_and_remedy_or_whole(data: st.DataObject, part: float) -> None:
    made = files()[data.draw(st.sampled_from(sorted(files())))]
    _decode_or_refuse(made[: int(len(made) * part)])


def _decode_or_refuse(data: bytes) -> None:
    refusal: PictureError | None = None
    try:
        picture = decode(data, name=NAME, max_megapixels=1)
        assert picture.width * picture.height * len(picture.frames) <= 1e6
    except PictureError as error:
        refusal = error
    if refusal is not None:
        assert refusal.message.text("en").startswith(NAME)
        assert refusal.remedy is not None
        assert "\n" not in refusal.message.text("en")


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_file_is_refused(kind: str) -> None:
    data = encode(Picture(noise(60, 80, 3), None, Metadata(), "png"), format=kind).data
    with pytest.raises(PictureError, match="Copy or download the file again"):
        decode(data[: len(data) // 2], name=NAME)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_wrong_name_does_not_matter_nor_does_the_limit_of_pillow(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(Picture(noise(60, 80, 3), None, Metadata(), "png"), format=kind).data
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)
    assert decode(data, name="picture.txt").format == kind


@pytest.mark.parametrize("kind", FORMATS)
def test_the_limit_holds_for_every_format(kind: str) -> None:
    data = encode(Picture(noise(60, 80, 3), None, Metadata(), "png"), format=kind).data
    with pytest.raises(PictureError, match=r"the limit is 0\.0047"):
        decode(data, name=NAME, max_megapixels=0.0047)
    assert decode(data, name=NAME, max_megapixels=0.0048).width == 80


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_picture_gives_the_same_bytes(kind: str) -> None:
    picture = Picture(noise(60, 80, 3), noise(60, 80, 1)[..., 0], Metadata(xmp=XMP % 1, dpi=(300, 300)), "png")
    assert encode(picture, format=kind).data == encode(picture, format=kind).data
