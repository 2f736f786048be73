"""Networks that look through windows, as swin_unet: they get tiles of the sides they take, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import textured
from onnx import helper

from enlarger.enhance import Enhancer, make_recipe
from enlarger.errors import WeightsRefusedError
from enlarger.models import add_model, load_catalog, locate, prepare
from enlarger.pictures import Metadata, Picture
from enlarger.settings import Settings
from onnx_files import model, write

WINDOW, BORDER = 48, 8


def window_network(scale: int = 2) -> Any:
    """Nearest neighbour, but only of sides of 48 k + 16: it loses 8 pixels a side and looks through windows of 48."""
    constants = {
        "from": np.array([BORDER, BORDER], np.int64),
        "to": np.array([-BORDER, -BORDER], np.int64),
        "axes": np.array([2, 3], np.int64),
        "factors": np.array([1, 1, scale, scale], np.float32),
    }
    nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    nodes = [
        helper.make_node("Slice", ["input", "from", "to", "axes"], ["inner"]),
        helper.make_node("SpaceToDepth", ["inner"], ["windows"], blocksize=WINDOW),
        helper.make_node("DepthToSpace", ["windows"], ["joined"], blocksize=WINDOW),
        helper.make_node("Resize", ["joined", "", "factors"], ["output"], **nearest),
    ]
    return model(nodes, constants)


@pytest.mark.parametrize(("width", "height"), [(100, 70), (48, 48), (700, 30)])
def test_a_picture_of_any_size_goes_through_the_windows(
    settings: Settings, tmp_path: Path, width: int, height: int
) -> None:
    add_model(write(tmp_path / "scale2x.onnx", window_network()), settings, name="swin_unet_art_scan")
    pixels = (textured(height, width).transpose(1, 2, 0) * 255).astype(np.uint8)
    with Enhancer(settings, device="openvino") as enhancer:
        recipe = make_recipe(enhancer.catalog, model="6", scale=2, precision="exact", tile_px=96)
        made = enhancer.enlarge(Picture(pixels, None, Metadata(), "png"), recipe)
    assert np.array_equal(made.picture.pixels, pixels.repeat(2, 0).repeat(2, 1))
    (done,) = made.facts.passes
    assert all(side % WINDOW == 2 * BORDER for side in done.tile)


def test_a_file_of_another_scale_is_not_taken_for_it(settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path / "scale2x.onnx", window_network(scale=4))
    with pytest.raises(
        WeightsRefusedError, match=r"it makes 768 pixels of 208, and MODEL_WAIFU2X_SWIN.* should make 384"
    ):
        add_model(file, settings, name="swin_unet_art_scan")
    assert not list(settings.models_dir.rglob("*.onnx"))


def test_the_name_of_the_file_says_which_network_it_is(settings: Settings, tmp_path: Path) -> None:
    catalog = load_catalog()
    add_model(write(tmp_path / "noise2_scale4x.onnx", window_network(scale=4)), settings, name="swin_unet_art_scan")
    variant = catalog.choose("swin_unet_art_scan", scale=4, noise=2).variant
    assert locate(variant, settings) is not None
    assert locate(catalog.choose("swin_unet_art_scan", scale=4).variant, settings) is None
    assert prepare(variant, settings).variant == variant
