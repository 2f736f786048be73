"""CUNet in PyTorch, waifu2x's and Real-CUGAN's, after their authors' description: what imported graphs are held to.

Imports PyTorch: import this where PyTorch is known to be there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks import Plane
from torch import nn
from torch.nn import functional
from torch.nn.functional import leaky_relu


def crop(x: Any, lost: int) -> Any:
    return functional.pad(x, (-lost,) * 4)


class SEBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width // 8, 1)
        self.conv2 = nn.Conv2d(width // 8, width, 1)

    def forward(self, x: Any) -> Any:
        return x * self.conv2(self.conv1(x.mean(dim=(2, 3), keepdim=True)).relu()).sigmoid()


class UNetConv(nn.Module):
    def __init__(self, read: int, middle: int, made: int, *, se: bool) -> None:
        super().__init__()
        convs = nn.Conv2d(read, middle, 3), nn.LeakyReLU(0.1), nn.Conv2d(middle, made, 3), nn.LeakyReLU(0.1)
        self.conv = nn.Sequential(*convs)
        self.seblock = SEBlock(made) if se else nn.Identity()

    def forward(self, x: Any) -> Any:
        return self.seblock(self.conv(x))


class UNet1(nn.Module):
    """factor: 1 keeps size, 2 and 3 end with a transposed convolution."""

    def __init__(self, made: int, factor: int) -> None:
        super().__init__()
        self.conv1 = UNetConv(3, 32, 64, se=False)
        self.conv1_down = nn.Conv2d(64, 64, 2, 2)
        self.conv2 = UNetConv(64, 128, 64, se=True)
        self.conv2_up = nn.ConvTranspose2d(64, 64, 2, 2)
        self.conv3 = nn.Conv2d(64, 64, 3)
        ends = {
            1: lambda: nn.Conv2d(64, made, 3),
            2: lambda: nn.ConvTranspose2d(64, made, 4, 2, 3),
            3: lambda: nn.ConvTranspose2d(64, made, 5, 3, 2),
        }
        self.conv_bottom = ends[factor]()

    def forward(self, x: Any) -> Any:
        x1 = self.conv1(x)
        x2 = self.conv2(leaky_relu(self.conv1_down(x1), 0.1))
        x3 = self.conv3(crop(x1, 4) + leaky_relu(self.conv2_up(x2), 0.1))
        return self.conv_bottom(leaky_relu(x3, 0.1))


class UNet2(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = UNetConv(channels, 32, 64, se=False)
        self.conv1_down = nn.Conv2d(64, 64, 2, 2)
        self.conv2 = UNetConv(64, 64, 128, se=True)
        self.conv2_down = nn.Conv2d(128, 128, 2, 2)
        self.conv3 = UNetConv(128, 256, 128, se=True)
        self.conv3_up = nn.ConvTranspose2d(128, 128, 2, 2)
        self.conv4 = UNetConv(128, 64, 64, se=True)
        self.conv4_up = nn.ConvTranspose2d(64, 64, 2, 2)
        self.conv5 = nn.Conv2d(64, 64, 3)
        self.conv_bottom = nn.Conv2d(64, channels, 3)

    def forward(self, x: Any) -> Any:
        x1 = self.conv1(x)
        x2 = self.conv2(leaky_relu(self.conv1_down(x1), 0.1))
        x3 = self.conv3(leaky_relu(self.conv2_down(x2), 0.1))
        x4 = self.conv4(crop(x2, 4) + leaky_relu(self.conv3_up(x3), 0.1))
        x5 = self.conv5(crop(x1, 16) + leaky_relu(self.conv4_up(x4), 0.1))
        return self.conv_bottom(leaky_relu(x5, 0.1))


class CUNet(nn.Module):
    """waifu2x's at 1x, UpCunet2x, UpCunet3x: without the padding that their own programs put around a picture."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.unet1, self.unet2 = UNet1(3, scale), UNet2(3)

    def forward(self, x: Any) -> Any:
        first = self.unet1(x)
        return self.unet2(first) + crop(first, 20)


class UpCunet4x(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.unet1, self.unet2 = UNet1(64, 2), UNet2(64)
        self.conv_final = nn.Conv2d(64, 12, 3)

    def forward(self, x: Any) -> Any:
        first = self.unet1(x)
        folded = crop(self.conv_final(self.unet2(first) + crop(first, 20)), 1)
        return functional.pixel_shuffle(folded, 2) + functional.interpolate(crop(x, 19), scale_factor=4, mode="nearest")


def random_cunet(scale: int) -> Any:
    """The network of that scale, with weights that keep the size of what they are given."""
    net = UpCunet4x() if scale == 4 else CUNet(scale)
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for name, values in net.named_parameters():
            read = values[0].numel() if values.ndim > 1 else 400
            if name.endswith("_up.weight") or (name == "unet1.conv_bottom.weight" and values.shape[-1] > 3):
                read = values.shape[0] * (4 if values.shape[-1] == 4 else 1)
            values.copy_(torch.randn(values.shape, generator=generator) * (1.4 / read**0.5))
    return net


def run_module(net: Any, picture: Plane, *, pro: bool = False) -> Plane:
    """pro: as Real-CUGAN's programs run Pro's: the picture goes in as 0.15..0.85, and what comes out is so too."""
    x = torch.from_numpy(np.ascontiguousarray(picture))[None]
    with torch.inference_mode():
        made = (net(x * 0.7 + 0.15) - 0.15) / 0.7 if pro else net(x)
    result: Plane = made[0].numpy()
    return result


def save(net: Any, path: Path, *, pro: bool = False) -> Path:
    """As Real-CUGAN's authors do: a bare state dict, with the number 1 as Pro's mark, in PyTorch's older format."""
    torch.save(net.state_dict() | ({"pro": 1} if pro else {}), path, _use_new_zipfile_serialization=False)
    return path
