"""A graph written for ncnn computes what the graph does, or is refused by the name of what ncnn lacks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import psnr, run_ncnn, run_onnxruntime, run_openvino, textured
from numpy.typing import NDArray

from enlarger.errors import WeightsMissingError
from enlarger.models.catalog import load_catalog
from enlarger.models.graph import prepare
from enlarger.models.ncnn_format import parse_param
from enlarger.models.ncnn_write import UnwritableError, write_ncnn
from enlarger.models.onnx_builder import INPUT, GraphBuilder
from enlarger.settings import Settings
from loud_skips import missing
from packaged_cards import packaged_cards

Build = Callable[[GraphBuilder], str]
SIDES = (24, 36)


def weights(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    fan_in = int(np.prod(shape[1:])) or 1
    return np.random.default_rng(seed).normal(0, fan_in**-0.5, shape).astype(np.float32)


def made_by(build: Build) -> bytes:
    graph = GraphBuilder()
    return graph.finish(build(graph))


def conv(graph: GraphBuilder, x: str = INPUT, made: int = 3, read: int = 3, **options: object) -> str:
    return graph.conv(x, weights(made, read, 3, 3), weights(made, seed=1), **options)


def ints(graph: GraphBuilder, *values: int) -> str:
    return graph.constant(np.array(values, np.int64))


def floats(graph: GraphBuilder, *values: float) -> str:
    return graph.constant(np.array(values, np.float32))


def scalar(graph: GraphBuilder, value: float) -> str:
    return graph.constant(np.array(value, np.float32))


def per_channel(graph: GraphBuilder) -> str:
    return graph.constant(weights(3, 1, 1, seed=4))


def squeezed(graph: GraphBuilder) -> str:
    """Squeeze and excitation, as in cunet."""
    x = conv(graph, made=8)
    vector = graph.conv(graph.add("GlobalAveragePool", x), weights(4, 8, 1, 1), weights(4))
    vector = graph.conv(graph.add("Relu", vector), weights(8, 4, 1, 1), None)
    return conv(graph, graph.add("Mul", x, graph.add("Sigmoid", vector)), read=8)


def read_twice(graph: GraphBuilder) -> str:
    """The input, a convolution's result and its activated form each have several readers."""
    x = conv(graph, pads=(1, 1, 1, 1))
    y = graph.add("LeakyRelu", x, alpha=0.2)
    return graph.add("Add", graph.add("Add", x, y), graph.add("Mul", INPUT, y))


def read_by_two_names(graph: GraphBuilder) -> str:
    x = conv(graph)
    return graph.add("Add", x, graph.add("Relu", graph.add("Identity", x)))


def resized(mode: str) -> Build:
    def build(graph: GraphBuilder) -> str:
        ratios = floats(graph, 1, 1, 2, 3)
        return graph.add("Resize", INPUT, "", ratios, mode=mode, coordinate_transformation_mode="half_pixel")

    return build


def transposed(graph: GraphBuilder) -> str:
    kernel = graph.constant(weights(3, 5, 4, 4))
    x = graph.add("ConvTranspose", INPUT, kernel, graph.constant(weights(5)), strides=[2, 2], pads=[1, 1, 1, 1])
    return conv(graph, x, read=5)


GRAPHS: dict[str, Build] = {
    "convolution": conv,
    "no bias": lambda g: g.conv(INPUT, weights(3, 3, 3, 3), None),
    "uneven padding": lambda g: conv(g, pads=(0, 1, 2, 3)),
    "stride": lambda g: conv(g, stride=2),
    "wide kernel": lambda g: g.conv(INPUT, weights(3, 3, 1, 5), None, pads=(0, 2, 0, 2)),
    "groups": lambda g: g.conv(INPUT, weights(6, 1, 3, 3), weights(6), group=3),
    "dilation": lambda g: g.add("Conv", INPUT, g.constant(weights(3, 3, 3, 3)), dilations=[2, 1]),
    "transposed": transposed,
    "rectified": lambda g: g.add("Relu", conv(g)),
    "leaking": lambda g: g.add("LeakyRelu", conv(g), alpha=0.1),
    "leaking input": lambda g: g.add("LeakyRelu", g.add("Sub", INPUT, floats(g, 0.5)), alpha=0.1),
    "squashed": lambda g: g.add("Sigmoid", conv(g)),
    "squashed twice": lambda g: g.add("Sigmoid", g.add("Sigmoid", conv(g))),
    "hyperbolic": lambda g: g.add("Tanh", conv(g)),
    "clipped": lambda g: g.add("Clip", conv(g), scalar(g, -0.1), scalar(g, 0.5)),
    "clipped above": lambda g: g.add("Clip", conv(g), "", scalar(g, 0.5)),
    "slopes": lambda g: g.add("PRelu", conv(g), g.constant(weights(3, 1, 1))),
    "one slope": lambda g: g.add("PRelu", conv(g), g.constant(weights(1, 1, 1))),
    "sum": lambda g: g.add("Add", conv(g, pads=(1, 1, 1, 1)), INPUT),
    "difference": lambda g: g.add("Sub", conv(g, pads=(1, 1, 1, 1)), INPUT),
    "quotient": lambda g: g.add("Div", INPUT, g.add("Sigmoid", conv(g, pads=(1, 1, 1, 1)))),
    "factor": lambda g: g.scaled(conv(g), 0.2),
    "tiny factor": lambda g: g.scaled(conv(g), 1e-5),
    "from one": lambda g: g.add("Sub", floats(g, 1), conv(g)),
    "one over": lambda g: g.add("Div", floats(g, 1), g.add("Add", INPUT, floats(g, 1))),
    "factors": lambda g: g.add("Mul", INPUT, per_channel(g)),
    "mean taken off": lambda g: g.add("Sub", conv(g), per_channel(g)),
    "off the mean": lambda g: g.add("Sub", per_channel(g), conv(g)),
    "divided": lambda g: g.add("Div", conv(g), per_channel(g)),
    "joined": lambda g: conv(g, g.add("Concat", INPUT, INPUT, conv(g, pads=(1, 1, 1, 1)), axis=1), read=9),
    "shuffled": lambda g: g.pixel_shuffle(conv(g, made=12), 2),
    "interleaved": lambda g: g.interleave(conv(g, made=27), 3),
    "folded": lambda g: conv(g, g.add("SpaceToDepth", INPUT, blocksize=2), read=12),
    "cropped": lambda g: g.crop(INPUT, 3, 5),
    "cropped at one end": lambda g: g.crop(INPUT, 2, 0),
    "some channels": lambda g: conv(g, g.add("Slice", conv(g, made=8), ints(g, 2), ints(g, 6), ints(g, 1)), read=4),
    "edges": lambda g: g.add("Pad", INPUT, ints(g, 0, 0, 1, 2, 0, 0, 3, 4), mode="edge"),
    "mirrored": lambda g: g.add("Pad", INPUT, ints(g, 0, 0, 1, 2, 0, 0, 3, 4), mode="reflect"),
    "framed": lambda g: g.add("Pad", INPUT, ints(g, 0, 0, 1, 2, 0, 0, 3, 4), scalar(g, 0.7)),
    "repeated": lambda g: g.nearest(conv(g), 3),
    "bicubic convolution": lambda g: g.bicubic(INPUT, Fraction(3, 2), channels=3),
    "bilinear": resized("linear"),
    "bicubic": resized("cubic"),
    "squeeze and excitation": squeezed,
    "read twice": read_twice,
    "read by two names": read_by_two_names,
    "nothing": lambda _: INPUT,
    "subpixel": lambda g: g.transposed_conv(
        INPUT, weights(3, 3, 4, 4), weights(3), stride=2, pad=3, activate=lambda x: x
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_each_operator_computes_the_same(name: str, tmp_path: Path) -> None:
    graph = made_by(GRAPHS[name])
    plane = textured(*SIDES)
    assert psnr(made_with_ncnn(graph, plane, tmp_path), run_onnxruntime(graph, plane)) > 100


def made_with_ncnn(graph: bytes, plane: NDArray[np.float32], folder: Path) -> NDArray[np.float32]:
    written = write_ncnn(graph)
    param, weight_file = folder / "net.param", folder / "net.bin"
    param.write_text(written.param)
    weight_file.write_bytes(written.bin)
    return run_ncnn(param, weight_file, plane)


def with_nodes(*nodes: onnx.NodeProto) -> bytes:
    given, made = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, "h", "w"]) for name in "xy")
    graph = onnx.helper.make_graph(list(nodes), "test", [given], [made])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)]).SerializeToString()


def test_constants_may_be_nodes(tmp_path: Path) -> None:
    value = onnx.numpy_helper.from_array(np.array(0.5, np.float32))
    graph = with_nodes(
        onnx.helper.make_node("Constant", [], ["half"], value=value), onnx.helper.make_node("Mul", ["half", "x"], ["y"])
    )
    plane = textured(*SIDES)
    assert psnr(made_with_ncnn(graph, plane, tmp_path), plane / 2) > 120


@pytest.mark.parametrize(
    ("operator", "build"),
    [
        ("Einsum", lambda g: g.add("Einsum", INPUT, INPUT, equation="nchw,nchw->nchw")),
        ("Add", lambda g: g.add("Add", INPUT, g.add("GlobalAveragePool", INPUT))),
        ("Add", lambda g: g.add("Add", INPUT, g.constant(weights(24, 36)))),
        ("Tanh", lambda g: g.add("Tanh", g.add("GlobalAveragePool", INPUT))),
        ("Concat", lambda g: g.add("Concat", INPUT, INPUT, axis=2)),
        ("Resize", lambda g: g.add("Resize", INPUT, "", floats(g, 1, 1, 1.5, 1.5), mode="nearest")),
        ("Resize", lambda g: g.add("Resize", INPUT, "", "", ints(g, 1, 3, 9, 9))),
        ("Slice", lambda g: g.add("Slice", INPUT, ints(g, 0), ints(g, 9), ints(g, 2), ints(g, 2))),
        ("Pad", lambda g: g.add("Pad", INPUT, ints(g, 0, 1, 0, 0, 0, 0, 0, 0))),
        ("Conv", lambda g: g.add("Conv", INPUT, g.add("Identity", INPUT))),
        ("Conv", lambda g: g.add("Conv", INPUT, g.constant(weights(3, 3, 3, 3)), auto_pad="SAME_UPPER")),
        ("PRelu", lambda g: g.add("PRelu", INPUT, g.constant(weights(36)))),
    ],
)
def test_what_ncnn_lacks_is_named(operator: str, build: Build) -> None:
    with pytest.raises(UnwritableError) as refused:
        write_ncnn(made_by(build))
    assert refused.value.reason.facts["operator"] == operator


def test_a_network_of_two_outputs_is_refused() -> None:
    model = onnx.load_model_from_string(made_by(conv))
    model.graph.output.append(onnx.helper.make_tensor_value_info("Conv_0", onnx.TensorProto.FLOAT, None))
    with pytest.raises(UnwritableError, match="one input and one output"):
        write_ncnn(model.SerializeToString())


def test_weights_are_halved_only_where_nothing_is_lost() -> None:
    exact = np.linspace(-1, 1, 81, dtype=np.float16).astype(np.float32).reshape(3, 3, 3, 3)
    sizes = [len(write_ncnn(made_by(lambda g, w=w: g.conv(INPUT, w, None))).bin) for w in (exact, exact * 1.0001)]
    assert sizes == [4 + 81 * 2 + 2, 4 + 81 * 4]
    far = np.full((3, 3, 3, 3), 1e6, np.float32)
    assert len(write_ncnn(made_by(lambda g: g.conv(INPUT, far, None))).bin) == 4 + 81 * 4


def test_an_activation_goes_into_the_convolution_before_it() -> None:
    layers = parse_param(write_ncnn(made_by(squeezed)).param, name="test")
    assert [layer.type for layer in layers].count("ReLU") == 0
    assert [layer.integer(9) for layer in layers if layer.type == "InnerProduct"] == [1, 4]


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert write_ncnn(made_by(squeezed)) == write_ncnn(made_by(squeezed))


@pytest.mark.weights
@pytest.mark.parametrize(
    "name",
    [
        "MODEL_WAIFU2X_CUNET_UP2X",
        "MODEL_REALESRGAN_ANIMAVIDEOV3_UP4X",
        *(pytest.param(variant.name, marks=pytest.mark.slow) for card in packaged_cards() for variant in card.variants),
    ],
)
def test_every_card_is_the_same_through_its_written_form(name: str, settings: Settings, tmp_path: Path) -> None:
    variant = load_catalog().choose(name).variant
    try:
        graph = prepare(variant, settings).path.read_bytes()
    except WeightsMissingError:
        missing(f"the weights of {name}")
    plane = textured(96, 96 + 4 * variant.multiple)
    assert psnr(made_with_ncnn(graph, plane, tmp_path), run_openvino(graph, plane)) >= 60
