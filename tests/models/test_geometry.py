"""Scale, border, multiple and reach, told from a graph: of networks made here, and of every one with weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from networks import run_onnxruntime, textured
from onnx import helper
from waifu2x_networks import VGG7, chain_state, resnet_state

from enlarger.errors import WeightsRefusedError
from enlarger.models import Card, load_catalog, prepare
from enlarger.models.geometry import Geometry, measure
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.models.onnx_import import import_onnx
from enlarger.models.pytorch_import import import_pytorch
from enlarger.settings import Settings
from onnx_files import model, one, plain_2x, write
from packaged_cards import packaged_cards


@pytest.mark.weights
@pytest.mark.parametrize(
    "card",
    [
        pytest.param(card, id=card.name, marks=pytest.mark.slow if card.variants[0].size_bytes > 8_000_000 else ())
        for card in packaged_cards()
    ],
)
def test_every_card_says_what_its_graph_does(settings: Settings, card: Card) -> None:
    for scale in card.scales:
        variant = card.variant(scale, card.noises(scale)[0])
        found = measure(prepare(variant, settings).path.read_bytes(), name=variant.name)
        assert (found.scale, found.border, found.multiple) == (variant.scale, variant.border, variant.multiple)
        assert found.local == variant.local
        assert found.halo >= variant.halo  # what was measured is never more than what can be seen


def square(read: int, made: int, kernel: int) -> Any:
    return np.full((made, read, kernel, kernel), 0.01, np.float32)


@given(
    kernels=st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=4),
    padded=st.booleans(),
    factor=st.integers(1, 4),
    folded=st.sampled_from([1, 2, 4]),
)
@hypothesis_settings(max_examples=25)
def test_any_chain_of_convolutions_is_measured(kernels: list[int], padded: bool, factor: int, folded: int) -> None:
    """Folded first, so that its pixels are wider; then convolved; then enlarged."""
    graph = GraphBuilder()
    x = graph.add("SpaceToDepth", INPUT, blocksize=folded) if folded > 1 else INPUT
    channels = 3 * folded**2
    for kernel in kernels:
        pads = (kernel // 2,) * 4 if padded else (0, 0, 0, 0)
        x = graph.conv(x, square(channels, 4, kernel), None, pads=pads)
        channels = 4
    enlarging = factor * folded
    x = graph.conv(x, square(channels, 3 * enlarging**2, 1), None)
    onnx = graph.finish(graph.pixel_shuffle(x, enlarging))
    seen = sum(kernel // 2 for kernel in kernels) * folded
    found = measure(onnx, name="chain")
    assert (found.scale, found.multiple, found.local) == (factor, folded, True)
    assert found.border == (0 if padded else seen)
    assert found.halo == found.border if seen and not padded else found.halo >= seen
    assert found.halo * 2 % found.multiple == 0
    given = textured(64, 72)
    assert run_onnxruntime(onnx, given).shape == (3, (64 - 2 * found.border) * factor, (72 - 2 * found.border) * factor)


def test_a_dilated_kernel_sees_further(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["input", "w"], ["output"], pads=[4, 4, 4, 4], dilations=[4, 4])
    onnx = import_onnx(write(tmp_path / "m.onnx", model([node], {"w": square(3, 3, 3)})))
    assert measure(onnx, name="m") == Geometry(1, 0, 1, 4, local=True)


def test_a_deep_networks_halo_is_what_the_deepest_needed() -> None:
    graph, x = GraphBuilder(), INPUT
    for _ in range(100):
        x = graph.conv(x, square(3, 3, 3), None, pads=(1, 1, 1, 1))
    assert measure(graph.finish(x), name="deep") == Geometry(1, 0, 1, 72, local=True)


def test_averages_over_the_whole_are_not_local_and_leave_the_border() -> None:
    onnx = import_pytorch(resnet_state(up=True), name="x")
    assert measure(onnx, name="x") == Geometry(2, 13, 1, 13, local=False)


def test_a_border_that_is_half_a_pixel_is_made_whole() -> None:
    assert measure(import_pytorch(chain_state(VGG7), name="x", enlarged=True), name="x").border == 4


def test_what_a_person_brings_is_measured_too(tmp_path: Any) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(plain_2x().SerializeToString())
    assert measure(import_onnx(path), name="m") == Geometry(2, 0, 1, 2, local=True)


def attention() -> Any:
    """Every pixel looks at every other."""
    return model(
        [
            helper.make_node("Transpose", ["input"], ["t"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["input", "t"], ["m"]),
            helper.make_node("MatMul", ["m", "input"], ["output"]),
        ]
    )


def test_what_is_not_understood_gets_a_wide_halo_and_is_not_local(tmp_path: Any) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(attention().SerializeToString())
    assert measure(import_onnx(path), name="m") == Geometry(1, 0, 1, 32, local=False)


def half() -> Any:
    return one("AveragePool", kernel_shape=[2, 2], strides=[2, 2])


def thumbnail() -> Any:
    scales = np.array([1, 1, 64, 64], np.int64)
    return model([helper.make_node("Resize", ["input", "", "", "s"], ["output"], mode="nearest")], {"s": scales})


def lopsided() -> Any:
    return model(
        [helper.make_node("Resize", ["input", "", "s"], ["output"], mode="nearest")],
        {"s": np.array([1, 1, 2, 3], np.float32)},
    )


def test_a_small_file_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    """Every pixel 300 times as wide and high, and back again."""
    nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    nodes = [
        helper.make_node("Resize", ["input", "", "up"], ["huge"], **nearest),
        helper.make_node("Resize", ["huge", "", "down"], ["output"], **nearest),
    ]
    factors = {"up": np.array([1, 1, 256, 256], np.float32), "down": np.array([1, 1, 1 / 256, 1 / 256], np.float32)}
    path = write(tmp_path / "bomb.onnx", model(nodes, factors))
    with pytest.raises(WeightsRefusedError, match=r"bomb\.onnx: .*one of its results has 7247757312 values"):
        measure(import_onnx(path), name=str(path))


@pytest.mark.parametrize("make", [half, thumbnail, lopsided])
def test_an_output_that_is_no_enlargement_is_refused(tmp_path: Any, make: Callable[[], Any]) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(make().SerializeToString())
    with pytest.raises(WeightsRefusedError, match=r"m\.onnx: .*the size of its output cannot be told"):
        measure(import_onnx(path), name=str(path))


def weights_from_a_node() -> Any:
    """A convolution whose kernel is computed, and whose size is not said."""
    kernel = helper.make_node("Identity", ["w"], ["k"])
    return model([kernel, helper.make_node("Conv", ["input", "k"], ["output"])], {"w": square(3, 3, 3)})


def no_number() -> Any:
    scales = np.array([1, 1, np.nan, np.nan], np.float32)
    return model([helper.make_node("Resize", ["input", "", "s"], ["output"], mode="nearest")], {"s": scales})


def conv(operator: str = "Conv", **attributes: Any) -> Any:
    return model([helper.make_node(operator, ["input", "w"], ["output"], **attributes)], {"w": square(3, 3, 3)})


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(one("DepthToSpace", blocksize=0), id="blocksize 0"),
        pytest.param(conv("ConvTranspose", strides=[0, 0]), id="stride 0"),
        pytest.param(weights_from_a_node(), id="computed kernel"),
        pytest.param(no_number(), id="NaN"),
        pytest.param(conv(dilations=[2]), id="one dilation"),
    ],
)
def test_numbers_that_cannot_be_are_refused(made: Any) -> None:
    made.graph.input[0].name = INPUT
    for node in made.graph.node:
        node.input[:] = [INPUT if name == "input" else name for name in node.input]
    with pytest.raises(WeightsRefusedError, match=r"m: .*the file is broken"):
        measure(made.SerializeToString(), name="m")


def test_the_two_that_only_a_url_has_are_as_their_cards_say() -> None:
    """Random weights in the shapes of the published files, smaller where size does not matter."""
    from test_pytorch_import import small_rrdb

    from checkpoint_files import small_srvgg

    catalog = load_catalog()
    for name, state in (
        ("realesr-general-x4v3", small_srvgg(4, convs=32)),
        ("realesrgan-x2plus", small_rrdb(12, blocks=23)),
    ):
        variant = catalog.choose(name).variant
        found = measure(import_pytorch(state, name=name), name=name)
        assert (found.scale, found.border, found.multiple) == (variant.scale, variant.border, variant.multiple)
        assert variant.halo == found.halo or (name, found.halo) == ("realesr-general-x4v3", 34)
