"""What filling flat areas saves: one page with margins, enlarged with and without it, in turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

from bench.alternate import Row, Timed, alternate
from bench.sizes import Size, Sizes
from bench.subjects import Studio
from enlarger.enhance import Enhancer, Recipe, make_recipe
from enlarger.models import load_catalog
from enlarger.pictures import Picture, Pixels, decode
from enlarger.settings import Settings

FILLED, COMPUTED = "flat areas filled", "flat areas computed"
LEAST_SAVED = 0.8  # of the flat share
_BLOCK_PX, _AROUND_PX = 64, 18
_MODELS = (("waifu2x-cunet", 2), ("realesr-animevideov3", 2), ("realcugan-se", 2))
_ROUNDS, _BUDGET_S = 5, 60.0


@dataclass(frozen=True)
class FlatFindings:
    """One card on one page: its flat share and the share of it that was filled, 0..1, and the times of both ways."""

    model: str
    scale: int
    size: Size
    flat_share: float
    filled_share: float
    timed: tuple[Timed, ...]

    @property
    def problem(self) -> str:
        """Why there are no times."""
        return next((each.problem for each in self.timed if each.problem), "")

    @property
    def saved(self) -> float:
        """Of the time that the whole page takes, in the median round."""
        return float(median(self._rounds))

    @property
    def saved_of_flat(self) -> float:
        """Of the flat share, in the median round; 0 where nothing is flat."""
        return self._of_flat(self.saved)

    @property
    def range(self) -> tuple[float, float]:
        """The same in the worst and in the best round."""
        return self._of_flat(min(self._rounds)), self._of_flat(max(self._rounds))

    def _of_flat(self, saved: float) -> float:
        return saved / self.flat_share if self.flat_share else 0.0

    @property
    def _rounds(self) -> list[float]:
        filled, computed = (each.seconds for each in self.timed)
        return [1 - quick / slow for quick, slow in zip(filled, computed, strict=True)]


def flat_share(pixels: Pixels) -> float:
    """Blocks of 64 px that are exactly one colour with 18 px around, as a share of the picture (H, W, C)."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((_AROUND_PX,) * 2, (_AROUND_PX,) * 2, (0, 0)), mode="edge")
    flat_px = 0
    for y in range(0, height, _BLOCK_PX):
        for x in range(0, width, _BLOCK_PX):
            seen = padded[y : y + _BLOCK_PX + 2 * _AROUND_PX, x : x + _BLOCK_PX + 2 * _AROUND_PX]
            if (seen == seen[0, 0]).all():
                flat_px += min(_BLOCK_PX, height - y) * min(_BLOCK_PX, width - x)
    return float(flat_px / (height * width))


def measure(
    studio: Studio, sizes: Sizes, settings: Settings, rounds: int, say: Callable[[str], None]
) -> list[FlatFindings]:
    """Each card on a page that was cleaned as publishers do: the paper around its panels is white."""
    subject = studio.cleaned_page(0, sizes.page)
    picture = decode(subject.data, name=subject.name)
    share = flat_share(picture.pixels)
    return [_compare(picture, subject.size, share, model, scale, settings, rounds, say) for model, scale in _MODELS]


def _compare(
    picture: Picture,
    size: Size,
    share: float,
    model: str,
    scale: int,
    settings: Settings,
    rounds: int,
    say: Callable[[str], None],
) -> FlatFindings:
    say(f"{model} {scale}x, a page of which {share:.1%} is flat")
    recipe = make_recipe(load_catalog(), model=model, scale=scale)
    with ExitStack() as stack:
        rows, filled = [], 0.0
        for name, spares in ((FILLED, True), (COMPUTED, False)):
            enhancer = stack.enter_context(Enhancer(settings.model_copy(update={"spare_flat": spares})))
            facts = enhancer.enlarge(picture, recipe).facts.passes[0]  # warm
            filled = filled or facts.filled_share
            rows.append(_row(name, facts.dtype, enhancer, picture, recipe))
        timed = alternate(rows, rounds or _ROUNDS, say, budget_s=inf if rounds else _BUDGET_S)
    return FlatFindings(model, scale, size, share, filled, timed)


def _row(name: str, dtype: str, enhancer: Enhancer, picture: Picture, recipe: Recipe) -> Row:
    px = picture.pixels.shape[0] * picture.pixels.shape[1]
    return Row(name, dtype, px, lambda _: enhancer.enlarge(picture, recipe))
