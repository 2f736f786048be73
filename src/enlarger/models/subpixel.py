"""Transposed convolutions as plain convolutions and a pixel shuffle: the same numbers, on the runtimes' fastest road.

After Shi et al., "Is the deconvolution layer the same as a convolutional layer?" (2016): every output
phase of a strided transposed convolution is a small convolution of its own. Measured with OpenVINO in
bf16, cunet gains a seventh: activations fuse, and no output of three channels is left to run in fp32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SubpixelConv:
    """Convolve with `weight` and `bias` under zero `pads`, interleave by `stride`, cut `crop` (start, end) pixels."""

    weight: NDArray[np.float32]  # (stride**2 * out, in, taps, taps), phases first
    bias: NDArray[np.float32]
    pads: tuple[int, int, int, int]
    stride: int
    crop: tuple[int, int]


def subpixel(weight: NDArray[np.float32], bias: NDArray[np.float32], *, stride: int, pad: int) -> SubpixelConv:
    """The equal of a transposed convolution with square `weight` (out, in, k, k), k >= stride, padding `pad`.

    Output pixel stride*q + r is the sum over j of input q - j times kernel tap stride*j + r; `pad` of the
    output's first and last pixels are cut, so as many whole input positions are never computed.
    """
    outputs, inputs, kernel, _ = weight.shape
    taps = -(-kernel // stride)
    before = max(0, taps - 1 - pad // stride)
    after = max(0, -((pad - kernel) // stride) - 1)
    spread = np.zeros((outputs, inputs, taps * stride, taps * stride), np.float32)
    spread[:, :, :kernel, :kernel] = weight
    phases = spread.reshape(outputs, inputs, taps, stride, taps, stride)[:, :, ::-1, :, ::-1, :]
    return SubpixelConv(
        weight=phases.transpose(3, 5, 0, 1, 2, 4).reshape(stride**2 * outputs, inputs, taps, taps),
        bias=np.tile(bias, stride**2),
        pads=(before, before, after, after),
        stride=stride,
        crop=(pad - stride * (taps - 1 - before), stride * (after + 1) - kernel + pad),
    )
