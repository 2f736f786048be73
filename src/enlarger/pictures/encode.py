"""A Picture into a file; what a format cannot hold falls back or is dropped, and is told."""

from __future__ import annotations

from dataclasses import replace

from enlarger.errors import RecipeError
from enlarger.messages import msg
from enlarger.pictures import exif as exif_block
from enlarger.pictures.codecs import Manner, codec_for
from enlarger.pictures.fitting import fitted
from enlarger.pictures.formats import FORMATS
from enlarger.pictures.metadata import carried
from enlarger.pictures.picture import Encoded, Metadata, Picture
from enlarger.pictures.seam import writing_errors
from enlarger.pictures.thumbnail import thumbnail_of


def encode(
    picture: Picture,
    *,
    format: str,  # noqa: A002  # the word every caller knows
    quality: int = 90,
    lossless: bool = False,
) -> Encoded:
    """The picture as a file; the same picture gives the same bytes. Thread-safe.

    format: a key of FORMATS. Sides beyond what it holds make it fall back to JPEG, or to PNG if nothing may be lost, or
    it is transparent or moving. quality: 1 to 100, for lossy formats. lossless: for those where that is a choice.
    Encoded.format says what it became, Encoded.notes what was lost. Raises RecipeError for impossible options,
    PictureError if the codec fails.
    """
    _check(format, quality)
    fit = fitted(picture, FORMATS[format], lossless=lossless)
    metadata, dropped = carried(fit.picture.metadata, fit.target, (picture.width, picture.height))
    ready = replace(fit.picture, metadata=_with_thumbnail(metadata, fit.picture))
    with writing_errors(fit.target.label):
        data = codec_for(fit.target.name).write(ready, Manner(quality, lossless, fit.as_rgb))
    return Encoded(data, fit.target.name, (*fit.notes, *dropped), _kept(picture.metadata, metadata))


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


def _with_thumbnail(metadata: Metadata, picture: Picture) -> Metadata:
    """The thumbnail in EXIF, where there is one, shows the old pixels: a new one takes its place."""
    if metadata.exif is None or not exif_block.has_thumbnail(metadata.exif):
        return metadata
    return replace(metadata, exif=exif_block.with_thumbnail(metadata.exif, thumbnail_of(picture)))


def _kept(before: Metadata, after: Metadata) -> tuple[str, ...]:
    return tuple(kind for kind in before.kinds if kind in after.kinds)
