"""Whether anything of a picture can be seen through, in any of its frames."""

from __future__ import annotations

import numpy as np

from enlarger.pictures.picture import Picture, Pixels


def is_transparent(picture: Picture) -> bool:
    """Whether any pixel is less than opaque."""
    return any(frame.alpha is not None and _least(frame.alpha) < _most(frame.alpha) for frame in picture.frames)


def has_half_tones(picture: Picture) -> bool:
    """Whether any pixel is neither opaque nor invisible."""
    return any(frame.alpha is not None and _has_half_tones(_sample(frame.alpha)) for frame in picture.frames)


def _has_half_tones(alpha: Pixels) -> bool:
    return bool(((alpha > 0) & (alpha < _most(alpha))).any())


def _most(alpha: Pixels) -> int:
    return int(np.iinfo(alpha.dtype).max)


def _least(alpha: Pixels) -> int:
    return int(_sample(alpha).min())


def _sample(alpha: Pixels) -> Pixels:
    return alpha[:1, :1] if alpha.strides == (0, 0) else alpha
