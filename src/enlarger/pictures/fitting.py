"""A Picture made to fit a format: what it cannot hold falls back to another, is converted or dropped, and is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from enlarger.messages import Message, msg
from enlarger.pictures import colour
from enlarger.pictures.alpha import on_white
from enlarger.pictures.depth import at_8_bits
from enlarger.pictures.formats import FORMATS, Format
from enlarger.pictures.metadata import only_the_first
from enlarger.pictures.picture import Frame, Picture, Pixels
from enlarger.pictures.transparency import has_half_tones, is_transparent

Notes = tuple[Message, ...]


@dataclass(frozen=True)
class Fitted:
    """The picture as it will be written, in which format, and what that cost."""

    picture: Picture
    target: Format
    notes: Notes

    @property
    def as_rgb(self) -> bool:
        """Whether grey must be written as three equal channels."""
        icc = self.picture.metadata.icc
        return not _holds_grey(self.picture, self.target) or (
            icc is not None and colour.profile_space(icc) == colour.RGB
        )


def fitted(picture: Picture, wanted: Format, *, lossless: bool) -> Fitted:
    """The picture for `wanted`, or for what it falls back to. Metadata but for the profile is left to be carried."""
    target, notes = _format_that_fits(picture, wanted, lossless=lossless)
    for fit in (_frames, _alpha, _profile, _depth):
        picture, said = fit(picture, target)
        notes += said
    return Fitted(picture, target, notes + _lossy(picture, target, lossless=lossless))


def _format_that_fits(picture: Picture, wanted: Format, *, lossless: bool) -> tuple[Format, Notes]:
    side = max(picture.width, picture.height)
    transparent = is_transparent(picture)
    if side > wanted.max_side_px:
        lossy = not lossless and wanted.lossless != "always" and not transparent and not picture.animation
        target = FORMATS["jpeg" if lossy and side <= FORMATS["jpeg"].max_side_px else "png"]
        note = msg(
            "{format} holds at most {limit} pixels a side, not {side}: written as {fallback}.",
            format=wanted.label,
            limit=wanted.max_side_px,
            side=side,
            fallback=target.label,
        )
        return target, (note,)
    if wanted.name == "bmp" and transparent:
        return FORMATS["png"], (msg("BMP holds no transparency: written as PNG."),)
    return wanted, ()


def _frames(picture: Picture, target: Format) -> tuple[Picture, Notes]:
    if picture.animation is None or target.frames:
        if picture.animation and picture.animation.plays and target.name == "avif":
            return picture, (msg("AVIF does not say how often an animation is shown: it is for ever now."),)
        return picture, ()
    return replace(picture, animation=None), (only_the_first(len(picture.frames)),)


def _alpha(picture: Picture, target: Format) -> tuple[Picture, Notes]:
    if picture.alpha is None or target.alpha == "full":
        return picture, ()
    if not is_transparent(picture):
        return picture.with_frames(tuple(Frame(frame.pixels, None) for frame in picture.frames)), ()
    if target.alpha == "mask":
        half = has_half_tones(picture)
        return picture, (msg("{format} knows no half transparency: each pixel was made opaque or invisible.",
                             format=target.label),) if half else ()  # fmt: skip
    frames = tuple(Frame(_laid_on_white(frame), None) for frame in picture.frames)
    note = msg("{format} holds no transparency: the picture was laid on white.", format=target.label)
    return picture.with_frames(frames), (note,)


def _laid_on_white(frame: Frame) -> Pixels:
    return frame.pixels if frame.alpha is None else on_white(frame.pixels, frame.alpha)


def _profile(picture: Picture, target: Format) -> tuple[Picture, Notes]:
    """An RGB profile fits one channel too, written as three equal ones; a grey one fits only formats with grey."""
    icc = picture.metadata.icc
    if icc is None:
        return picture, ()
    space, is_grey = colour.profile_space(icc), picture.pixels.shape[2] == 1
    if target.icc and (space == colour.RGB or (space == colour.GREY and is_grey and _holds_grey(picture, target))):
        return picture, ()
    plain = replace(picture, metadata=replace(picture.metadata, icc=None))
    if space not in (colour.RGB, colour.GREY) or (space == colour.GREY and not is_grey):
        return plain, (colour.MISFIT,)
    if colour.is_srgb(icc):
        return plain, ()
    convert = _converter(icc, is_grey=is_grey)
    if convert(plain.pixels[:1, :1]) is None:
        return plain, (colour.MISFIT,)
    frames = tuple(Frame(_converted(frame.pixels, convert), frame.alpha) for frame in plain.frames)
    if space == colour.GREY:
        note = msg("Grey was converted from its own colour profile to sRGB.")
    else:
        note = msg("The colours were converted from their own profile to sRGB.")
    return plain.with_frames(frames), (note,)


def _holds_grey(picture: Picture, target: Format) -> bool:
    return target.grey if picture.alpha is None else target.grey_alpha and target.grey


def _converter(icc: bytes, *, is_grey: bool) -> Callable[[Pixels], Pixels | None]:
    if is_grey and colour.profile_space(icc) == colour.RGB:
        return lambda pixels: colour.greys_to_srgb(pixels, icc)
    return lambda pixels: colour.to_srgb(pixels, icc)


def _converted(pixels: Pixels, convert: Callable[[Pixels], Pixels | None]) -> Pixels:
    result = convert(pixels)
    return pixels if result is None else result


def _depth(picture: Picture, target: Format) -> tuple[Picture, Notes]:
    if not picture.is_deep or (target.bits == 16 and picture.animation is None):  # no writer moves 16 bits
        return picture, ()
    if target.bits == 10:
        lost = (msg("{format} holds {bits} bits a channel, not {depth}.", format=target.label, bits=target.bits,
                    depth=picture.bits),)  # fmt: skip
        return picture, lost if picture.bits > target.bits else ()
    frames = tuple(
        Frame(at_8_bits(frame.pixels), None if frame.alpha is None else at_8_bits(frame.alpha))
        for frame in picture.frames
    )
    note = msg("{format} holds 8 bits a channel: {depth} were rounded to 8.", format=target.label, depth=picture.bits)
    return picture.with_frames(frames), (note,)


def _lossy(picture: Picture, target: Format, *, lossless: bool) -> Notes:
    """What a person may not expect of the format itself."""
    if target.name == "gif":
        return (msg("GIF holds 256 colours a frame: the others were dithered. WebP, AVIF and PNG hold all."),)
    if not lossless:
        return ()
    if target.name == "jpeg":
        return (msg("JPEG is never lossless; it was written at the quality asked for."),)
    if target.name == "avif":
        return (msg("AVIF was written at its highest quality, which can be a few levels of 255 off."),)
    if target.name == "heic" and picture.is_deep:
        return (msg("HEIC is lossless here up to 10 bits a channel."),)
    return ()
