"""Bicubic resizing by a fixed ratio as a strided convolution, many times faster than runtimes' own resizing.

At a ratio of P/Q the same P kernels return every Q input pixels, so P phases of one convolution with
stride Q are all the result, once a pixel shuffle has put them in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray

_A = -0.75  # the kernel of ncnn, PyTorch and OpenCV (Keys 1981, with their constant)


@dataclass(frozen=True)
class BicubicConv:
    """Extend the edge pixels by `pads` (start, end), convolve each channel with `stride`, shuffle by `phases`.

    Exact where the input's sides are multiples of `stride`.
    """

    kernel: NDArray[np.float32]  # (phases**2, taps, taps), phases row by row
    pads: tuple[int, int]
    stride: int
    phases: int


def bicubic(ratio: Fraction) -> BicubicConv:
    """Resizing by `ratio` with half-pixel centres, clamped at the edges, without anti-aliasing."""
    phases, stride = ratio.numerator, ratio.denominator
    centres = [float((phase + Fraction(1, 2)) / ratio - Fraction(1, 2)) for phase in range(phases)]
    first = min(floor(centre) for centre in centres) - 1
    last = max(floor(centre) for centre in centres) + 2
    taps = np.array([[_weight(centre - tap) for tap in range(first, last + 1)] for centre in centres])
    kernel = np.einsum("ph,qw->pqhw", taps, taps).reshape(phases**2, taps.shape[1], taps.shape[1])
    return BicubicConv(kernel.astype(np.float32), (-first, last + 1 - stride), stride, phases)


def _weight(distance: float) -> float:
    d = abs(distance)
    if d <= 1:
        return ((_A + 2) * d - (_A + 3)) * d * d + 1
    return ((_A * d - 5 * _A) * d + 8 * _A) * d - 4 * _A if d < 2 else 0.0
