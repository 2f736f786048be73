"""More than 8 bits a channel: arrays as the libraries give them into a Picture, and a Picture into such arrays."""

from __future__ import annotations

import numpy as np

from enlarger.messages import Message
from enlarger.pictures import colour
from enlarger.pictures.picture import Metadata, Picture, Pixels
from enlarger.pictures.planes import constant_if_constant, grey_if_grey


def deep_picture(samples: Pixels, metadata: Metadata, kind: str, bits: int, notes: tuple[Message, ...] = ()) -> Picture:
    """(H, W) or (H, W, 1 to 4) samples: grey, grey and alpha, RGB, RGBA; the profile goes where it does not fit."""
    if samples.ndim == 2:
        samples = samples[..., None]
    colours = samples.shape[2] - 1 + samples.shape[2] % 2
    pixels = np.ascontiguousarray(samples[..., :colours])
    alpha = constant_if_constant(np.ascontiguousarray(samples[..., colours])) if samples.shape[2] > colours else None
    metadata, misfit = colour.fitting_profile(metadata, colour.GREY if colours == 1 else colour.RGB)
    pixels = grey_if_grey(pixels, through_yuv=False)
    return Picture(pixels, alpha, metadata, kind, (*notes, *misfit), bits=bits)


def interleaved(picture: Picture, *, as_rgb: bool = False) -> Pixels:
    """The first frame as one (H, W) or (H, W, 2 to 4) array: grey, grey and alpha, RGB, RGBA."""
    pixels = np.repeat(picture.pixels, 3, axis=2) if as_rgb and picture.pixels.shape[2] == 1 else picture.pixels
    if picture.alpha is not None:
        return np.dstack((pixels, picture.alpha))
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
