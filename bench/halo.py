"""Measure the halo each local network needs, so that a picture cut into tiles comes out as it would whole.

    python bench/halo.py [MODEL…] [--pictures FOLDER] [--count 6] [--least 32]

MODEL is a card or a variant; without one, all cards. A tile of 64 pixels is taken from the middle of a
picture and enlarged with its surroundings: all four of its edges are seams. A halo holds when the tile
differs from the same place of the whole picture's result by at most 1/255 at the 99.9th percentile and
4/255 anywhere, in fp32. The smallest halo that holds for every picture is printed, with the share of a
tile that it leaves useful.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.models import Card, Variant, load_catalog, prepare
from enlarger.settings import Settings

Plane = NDArray[np.float32]
Network = Callable[[Plane], Plane]

P999_LIMIT, MAX_LIMIT = 1.0, 4.0  # of 255
TILE_PX = 64
_SIDES_PX = (256, 512, 768, 1024)


def drawn_pictures(size: int) -> Iterator[tuple[str, Plane]]:
    """Worst cases no photograph reaches: noise, hatching, screentone, and inked lines on white; (3, size, size)."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    yield "noise", rng.random((3, size, size), np.float32)
    yield "hatching", _grey(((x + y) % 5 < 2) * 1.0)
    yield "screentone", _grey((np.sin(x * 1.05) * np.sin(y * 1.05) > 0.2) * 0.8 + 0.1)
    ink = np.ones((size, size), np.float32)
    for slope, start in zip(rng.uniform(-2, 2, 24), rng.uniform(-size, 2 * size, 24), strict=True):
        ink *= np.clip(np.abs(y - slope * x - start) / np.hypot(1, slope) - 0.8, 0, 1)
    yield "ink", _grey(ink)


def photographs(folder: Path, size: int, count: int) -> Iterator[tuple[str, Plane]]:
    """The most textured square of `size` pixels in each of the first `count` photographs."""
    from PIL import Image

    for path in sorted(folder.glob("*.jpg"))[:count]:
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1) / np.float32(255)
        yield path.stem, _most_textured(pixels, size)


def _most_textured(pixels: Plane, size: int) -> Plane:
    _, height, width = pixels.shape
    places = [(top, left) for top in range(0, height - size + 1, 32) for left in range(0, width - size + 1, 32)]
    squares = (pixels[:, top : top + size, left : left + size] for top, left in places)
    return max(squares, key=lambda square: float(np.abs(np.diff(square)).mean()))


def _grey(plane: NDArray[Any]) -> Plane:
    return np.broadcast_to(plane.astype(np.float32), (3, *plane.shape)).copy()


def open_network(path: Path) -> Network:
    """The graph in fp32 on the CPU; each input size is compiled once."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(path)
    compiled: dict[tuple[int, ...], Any] = {}

    def run(plane: Plane) -> Plane:
        if plane.shape not in compiled:
            model.reshape([1, *plane.shape])
            compiled[plane.shape] = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return np.array(compiled[plane.shape](plane[None])[0][0])

    return run


def errors(network: Network, variant: Variant, picture: Plane, whole: Plane, halo: int) -> Plane:
    """|tile - whole| in 255ths over the tile in the middle of `picture`, `whole` being the network's result of it."""
    start = (picture.shape[1] - TILE_PX) // 2
    outer = slice(start - halo, start + TILE_PX + halo)
    tile = _cut(network(np.ascontiguousarray(picture[:, outer, outer])), variant, halo)
    return np.abs(np.clip(tile, 0, 1) - np.clip(_cut(whole, variant, start), 0, 1)) * 255


def _cut(result: Plane, variant: Variant, pixels: int) -> Plane:
    cut = (pixels - variant.border) * variant.scale
    return result[:, cut : cut + TILE_PX * variant.scale, cut : cut + TILE_PX * variant.scale]


def needed_halo(network: Network, variant: Variant, pictures: Sequence[tuple[str, Plane]], halo: int, step: int) -> int:
    """The smallest halo, in steps from `halo` on, that holds for all pictures; prints how near each comes."""
    for name, picture in pictures:
        whole = network(picture)
        while True:
            difference = errors(network, variant, picture, whole, halo)
            p999, worst = float(np.percentile(difference, 99.9)), float(difference.max())
            print(f"  {name:14} halo {halo:3}: p99.9 {p999:6.3f}  max {worst:6.3f}", flush=True)
            if p999 <= P999_LIMIT and worst <= MAX_LIMIT:
                break
            halo += step
            if halo + step > (picture.shape[1] - TILE_PX) // 2:
                raise SystemExit("No halo holds within --surroundings: make them larger.")
    return halo


def useful_shares(halo: int) -> str:
    """What share of the computed pixels is kept, at usual tile sides."""
    return ", ".join(f"{side}: {((side - 2 * halo) / side) ** 2:.0%}" for side in _SIDES_PX)


def measure(variant: Variant, settings: Settings, arguments: argparse.Namespace) -> None:
    """Print one variant's halo and what it costs."""
    print(f"{variant.name} (halo {variant.halo} in its card; useful share of a tile, {useful_shares(variant.halo)})")
    if not variant.local:
        print("  averages over its tile: no halo makes it equal, the plan of tiles is fixed instead")
        return
    size = TILE_PX + 2 * arguments.surroundings
    pictures = [*drawn_pictures(size), *photographs(arguments.pictures, size, arguments.count)]
    network = open_network(prepare(variant, settings).path)
    halo = needed_halo(network, variant, pictures, max(variant.border, arguments.least), arguments.step)
    print(f"  needs {halo}; useful share of a tile, {useful_shares(halo)}", flush=True)


def chosen(names: Sequence[str]) -> list[Variant]:
    """The variants the names mean; all of them without names."""
    catalog = load_catalog()
    found = [catalog.find(name) for name in names] or [card for card in catalog.cards if card.fetchable]
    return [v for each in found for v in (each.variants if isinstance(each, Card) else (each.variant,))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--pictures", type=Path, default=Path("../shared/images/coco36"))
    parser.add_argument("--count", type=int, default=6, help="photographs to take")
    parser.add_argument("--least", type=int, default=0, help="the first halo to try")
    parser.add_argument("--step", type=int, default=4)
    parser.add_argument("--surroundings", type=int, default=104, help="pixels around the tile that “whole” sees")
    arguments = parser.parse_args()
    for variant in chosen(arguments.models):
        measure(variant, Settings(), arguments)


if __name__ == "__main__":
    main()
