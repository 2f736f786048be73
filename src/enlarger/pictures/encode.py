"""A Picture into a JPEG, PNG or WebP file; what a format cannot hold falls back or is dropped, and is told."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from enlarger.errors import RecipeError
from enlarger.messages import Message, msg
from enlarger.pictures import colour
from enlarger.pictures.alpha import on_white
from enlarger.pictures.canvas import colour_image, grey_image
from enlarger.pictures.metadata import kept_kinds, options_for
from enlarger.pictures.picture import FORMATS, Encoded, Format, Picture
from enlarger.pictures.seam import writing_errors

if TYPE_CHECKING:
    from PIL.Image import Image

# An 11-megapixel page of line art, one core: method 0 0.6 s, 2 0.8 s, 4 1.7 s, for 1490, 1296 and 1256 kB.
_WEBP_METHOD = 2
# The same page: method 0 at effort 20 0.8 s, method 2 at effort 80 7.3 s, for 3693 and 3453 kB.
_WEBP_LOSSLESS = {"lossless": True, "method": 0, "quality": 20}
# The same page as grey: level 1 0.35 s, 3 0.46 s, 6 0.75 s, for 3931, 3818 and 3692 kB.
_PNG_LEVEL = 1
_FULL_CHROMA_FROM = 90  # the JPEG quality from which sharp coloured edges are worth the bytes
_MODES = {2: "LA", 3: "RGB", 4: "RGBA"}  # by number of bands
_Notes = tuple[Message, ...]


def encode(
    picture: Picture,
    *,
    format: str,  # noqa: A002  # the word every caller knows
    quality: int = 90,
    lossless: bool = False,
) -> Encoded:
    """The picture as a file; the same picture gives the same bytes. Thread-safe.

    format: a key of FORMATS. Sides beyond what it holds make WebP fall back to JPEG (PNG if lossless or with
    transparency) and JPEG to PNG. quality: 1 to 100, for JPEG and lossy WebP. lossless: for WebP; PNG always is.
    Encoded.format says what it became, Encoded.notes what was lost. Raises RecipeError for impossible options,
    PictureError if the codec fails.
    """
    _check(format, quality)
    target, fallen_back = _format_that_fits(picture, FORMATS[format], lossless=lossless)
    picture, flattened = _with_fitting_alpha(picture, target)
    picture, misfit = _with_fitting_profile(picture, target)
    options, dropped = options_for(picture.metadata, target.name, (picture.width, picture.height))
    kept = kept_kinds(picture.metadata, options)
    buffer = io.BytesIO()
    options |= _codec_options(target, quality, lossless)
    with writing_errors(target.name):
        _image(picture, target).save(buffer, target.name.upper(), **options)
    notes = (*fallen_back, *flattened, *misfit, *dropped)
    return Encoded(buffer.getvalue(), target.name, notes, kept)


def _check(name: str, quality: int) -> None:
    if name not in FORMATS:
        raise RecipeError(
            msg("Pictures cannot be written as {format}.", format=name),
            msg("Choose one of {formats}.", formats=", ".join(FORMATS)),
        )
    if not 1 <= quality <= 100:
        raise RecipeError(
            msg("Quality {quality} is out of range.", quality=quality), msg("Choose a quality from 1 to 100.")
        )


def _format_that_fits(picture: Picture, wanted: Format, *, lossless: bool) -> tuple[Format, _Notes]:
    side = max(picture.width, picture.height)
    if side <= wanted.max_side_px:
        never = (msg("JPEG is never lossless; it was written at the quality asked for."),)
        return wanted, never if lossless and wanted.name == "jpeg" else ()
    as_jpeg = not lossless and not _is_transparent(picture) and side <= FORMATS["jpeg"].max_side_px
    target = FORMATS["jpeg" if as_jpeg else "png"]
    note = msg(
        "{format} holds at most {limit} pixels a side, not {side}: written as {fallback}.",
        format=wanted.name.upper(),
        limit=wanted.max_side_px,
        side=side,
        fallback=target.name.upper(),
    )
    return target, (note,)


def _is_transparent(picture: Picture) -> bool:
    alpha = picture.alpha
    if alpha is None:
        return False
    return bool((alpha[:1, :1] if picture.alpha_is_constant else alpha).min() < 255)


def _with_fitting_alpha(picture: Picture, target: Format) -> tuple[Picture, _Notes]:
    if picture.alpha is None or target.holds_alpha:
        return picture, ()
    if not _is_transparent(picture):
        return replace(picture, alpha=None), ()
    flat = on_white(picture.pixels, picture.alpha)
    note = msg("{format} holds no transparency: the picture was laid on white.", format=target.name.upper())
    return replace(picture, pixels=flat, alpha=None), (note,)


def _with_fitting_profile(picture: Picture, target: Format) -> tuple[Picture, _Notes]:
    """An RGB profile fits one channel too, written as three equal ones; a grey one fits only formats with grey."""
    icc = picture.metadata.icc
    if icc is None or (space := colour.profile_space(icc)) == colour.RGB:
        return picture, ()
    is_grey = space == colour.GREY and picture.pixels.shape[2] == 1
    if is_grey and target.holds_grey:
        return picture, ()
    plain = replace(picture, metadata=replace(picture.metadata, icc=None))
    converted = colour.grey_to_srgb(picture.pixels, icc) if is_grey else None
    if converted is None:
        return plain, (colour.MISFIT,)
    return replace(plain, pixels=converted), (msg("Grey was converted from its own colour profile to sRGB."),)


def _image(picture: Picture, target: Format) -> Image:
    """What Pillow is to write, in the memory of the pixels wherever it can be shared."""
    if picture.pixels.shape[2] == 1:
        icc = picture.metadata.icc
        has_rgb_profile = icc is not None and colour.profile_space(icc) == colour.RGB
        return _grey_image(picture, in_rgb=has_rgb_profile or not target.holds_grey)
    image = colour_image(picture.pixels, picture.alpha)
    return image.convert("RGB") if target.name == "png" and image.mode == "RGBX" else image


def _grey_image(picture: Picture, *, in_rgb: bool) -> Image:
    from PIL import Image

    grey = grey_image(picture.pixels[..., 0])
    bands = [grey, grey, grey] if in_rgb else [grey]
    if picture.alpha is not None:
        bands.append(grey_image(picture.alpha))
    return Image.merge(_MODES[len(bands)], bands) if len(bands) > 1 else grey


def _codec_options(target: Format, quality: int, lossless: bool) -> dict[str, Any]:
    if target.name == "png":
        return {"compress_level": _PNG_LEVEL}
    if target.name == "jpeg":
        return {"quality": quality, "subsampling": "4:4:4" if quality >= _FULL_CHROMA_FROM else "4:2:0"}
    if lossless:
        return {**_WEBP_LOSSLESS, "exact": True}  # the colour under transparent pixels too
    return {"quality": quality, "method": _WEBP_METHOD}
