"""The raw session is given exactly the tiles that the road cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.rehearsal import tiles_of
from bench.subjects import Studio
from enlarger.enhance import make_recipe
from enlarger.models import Graph, load_catalog
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.pictures import decode
from enlarger.settings import Settings


def test_tiles_cover_every_picture_in_order(tmp_path: Path, settings: Settings) -> None:
    catalog, tile_px = load_catalog(), 64
    recipe = make_recipe(catalog, model="waifu2x-upconv7-anime", scale=2, tile_px=tile_px)
    variant = catalog.choose("waifu2x-upconv7-anime", scale=2).variant
    network, builder = tmp_path / "x.onnx", GraphBuilder()
    network.write_bytes(builder.finish(builder.nearest(INPUT, 2)))  # memory is planned from it, nothing runs it
    pages = Studio(tmp_path).pages(2, (96, 128))
    tiles = tiles_of(pages, recipe, Graph(network, "digest", variant, None), settings)
    per_page = len(tiles) // 2
    assert len(tiles) == 2 * per_page
    assert per_page > 1
    for page, first in zip(pages, tiles[::per_page], strict=True):
        pixels = decode(page.data, name=page.name).pixels
        useful = first[variant.halo :, variant.halo :][: tile_px // 2, : tile_px // 2]
        assert (useful == pixels[: tile_px // 2, : tile_px // 2]).all()
    assert {tile.dtype for tile in tiles} == {np.dtype(np.uint8)}
