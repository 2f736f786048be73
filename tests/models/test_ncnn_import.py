"""ncnn networks come out of every engine as ncnn itself computes them; what is not understood is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import Plane, psnr, run_ncnn, run_onnxruntime, run_openvino, textured

from enlarger.errors import WeightsRefusedError
from enlarger.models.card import Variant
from enlarger.models.graph import Graph, prepare
from enlarger.models.ncnn_adapt import adapt
from enlarger.models.ncnn_format import Layer, format_param, parse_param
from enlarger.models.ncnn_import import import_ncnn
from enlarger.models.sources import locate
from enlarger.settings import Settings
from loud_skips import missing
from packaged_cards import ncnn_cards

PROMISED_DB = 60.0
RNG = np.random.default_rng(11)

_LARGE = ("realesrgan-x4plus", "realsr-df2k")  # 17 million multiplications a pixel
VARIANTS = [
    pytest.param(
        variant,
        id=variant.name,
        marks=[] if card.name not in _LARGE and variant is card.variants[0] else [pytest.mark.slow],
    )
    for card in ncnn_cards()
    for variant in card.variants
]
NETWORKS = [  # one of each shape: those that differ in noise level differ in weights only
    pytest.param(variants[0], id=variants[0].name)
    for card in ncnn_cards()
    for scale in card.scales
    if (variants := [v for v in card.variants if v.scale == scale]) and card.name not in _LARGE
]


def picture_for(variant: Variant) -> Plane:
    if variant.border:
        return textured(64, 72)
    return textured(24, 28) if "X4PLUS" in variant.name or "DF2K" in variant.name else textured(41, 47)


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    return Settings(data_dir=folder / "data", cache_dir=folder / "cache", offline=True)


def prepared(variant: Variant, settings: Settings) -> Graph:
    if locate(variant, settings) is None:
        missing(f"the package {variant.package}")
    return prepare(variant, settings)


def ncnn_alone(variant: Variant, settings: Settings, picture: Plane) -> Plane:
    """The package's own files in ncnn, with the step that Real-CUGAN's program takes outside of its 4x networks."""
    weights = locate(variant, settings)
    assert weights is not None
    result = run_ncnn(*weights.paths, picture)
    if not variant.residual:
        return result
    inner = picture[:, variant.border : -variant.border, variant.border : -variant.border]
    return result + inner.repeat(variant.scale, axis=1).repeat(variant.scale, axis=2)


@pytest.mark.weights
@pytest.mark.oracle
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_engine_makes_the_picture_ncnn_makes(variant: Variant, keeping: Settings) -> None:
    graph, picture = prepared(variant, keeping), picture_for(variant)
    expected = ncnn_alone(variant, keeping, picture)
    height, width = ((side - 2 * variant.border) * variant.scale for side in picture.shape[1:])
    assert expected.shape == (3, height, width)
    onnx = graph.path.read_bytes()
    assert psnr(run_openvino(onnx, picture), expected) >= PROMISED_DB
    assert psnr(run_onnxruntime(onnx, picture), expected) >= PROMISED_DB


@pytest.mark.weights
@pytest.mark.parametrize("variant", NETWORKS)
def test_the_ncnn_form_means_what_the_graph_means(variant: Variant, keeping: Settings) -> None:
    graph, picture = prepared(variant, keeping), picture_for(variant)
    assert graph.ncnn is not None
    made = run_ncnn(graph.ncnn.param, graph.ncnn.bin, picture)
    assert psnr(made, ncnn_alone(variant, keeping, picture)) >= 100


@pytest.mark.weights
@pytest.mark.parametrize("variant", NETWORKS)
def test_flat_colours_stay_what_they_are(variant: Variant, keeping: Settings) -> None:
    """No network has a normalisation of its own that its graph forgot."""
    graph = prepared(variant, keeping)
    assert graph.ncnn is not None
    colour = np.array([0.75, 0.5, 0.25], np.float32)
    picture = np.broadcast_to(colour[:, None, None], (3, 64, 64)).copy()
    made = run_ncnn(graph.ncnn.param, graph.ncnn.bin, picture)
    centre = made[:, made.shape[1] // 2, made.shape[2] // 2]
    np.testing.assert_allclose(centre, colour, atol=0.05)


@pytest.mark.weights
@pytest.mark.parametrize("variant", NETWORKS)
def test_only_sides_the_card_allows_fit_the_network(variant: Variant, keeping: Settings) -> None:
    import openvino as ov

    graph = prepared(variant, keeping)
    core = ov.Core()
    fitting = []
    for side in range(64, 72):
        model = core.read_model(graph.path)
        try:
            model.reshape([1, 3, side, 64])
        except RuntimeError:
            continue
        fitting.append(side)
    assert fitting == [side for side in range(64, 72) if side % variant.multiple == 0]


# Single layers, against ncnn -------------------------------------------------------------------


def network(*layers: Layer) -> tuple[Layer, ...]:
    return (Layer("Input", "in", (), ("in",), {}), *layers)


def fp32(values: Plane) -> bytes:
    return bytes(4) + values.astype("<f4").tobytes()


def fp16(values: Plane) -> bytes:
    data = values.astype("<f2").tobytes()
    return (0x01306B47).to_bytes(4, "little") + data + bytes(-len(data) % 4)


def check(tmp_path: Path, layers: tuple[Layer, ...], weights: bytes, picture: Plane) -> None:
    (tmp_path / "n.param").write_text(format_param(layers))
    (tmp_path / "n.bin").write_bytes(weights)
    expected = run_ncnn(tmp_path / "n.param", tmp_path / "n.bin", picture)
    assert psnr(run_openvino(import_ncnn(layers, weights, name="n"), picture), expected) > 100


def weights_of(shape: tuple[int, ...]) -> Plane:
    return RNG.normal(0, 0.3, shape).astype(np.float16).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "stride", "pad"),
    [(2, 2, 0), (4, 2, 3), (4, 2, 1), (5, 3, 2), (3, 1, 1), (3, 1, 0), (3, 3, 0), (6, 2, 5), (4, 3, 2), (5, 2, 4)],
)
@pytest.mark.parametrize("activation", [{}, {9: 2, 10: (0.1,)}])
def test_transposed_convolutions_are_equal(
    tmp_path: Path, kernel: int, stride: int, pad: int, activation: Mapping[int, int]
) -> None:
    weight, bias = weights_of((3, 3, kernel, kernel)), weights_of((3,))
    params = {0: 3, 1: kernel, 3: stride, 4: pad, 5: 1, 6: weight.size, **activation}
    layer = Layer("Deconvolution", "d", ("in",), ("out",), params)
    check(tmp_path, network(layer), fp32(weight) + bias.tobytes(), textured(11, 13))


@pytest.mark.parametrize("ratio", [0.5, 0.75, 0.25, 1.5, 2.0])
def test_bicubic_resizing_is_equal_to_the_edge(tmp_path: Path, ratio: float) -> None:
    layer = Layer("Interp", "i", ("in",), ("out",), {0: 3, 1: ratio, 2: ratio})
    check(tmp_path, network(layer), b"", textured(24, 32))


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
@pytest.mark.parametrize("stored", [fp16, fp32])
@pytest.mark.parametrize("bias", [0, 1])
def test_convolutions_are_equal(tmp_path: Path, kind: int, stored: object, bias: int) -> None:
    weight = weights_of((3, 3, 3, 3))
    params = {0: 3, 1: 3, 4: 1, 5: bias, 6: weight.size, 9: kind, **({10: (0.2,)} if kind == 2 else {})}
    layer = Layer("Convolution", "c", ("in",), ("out",), params)
    weights = (fp16 if stored is fp16 else fp32)(weight) + (weights_of((3,)).tobytes() if bias else b"")
    check(tmp_path, network(layer), weights, textured(9, 10))


def test_a_kernel_may_be_told_for_both_axes_and_padded_on_each_side(tmp_path: Path) -> None:
    """As pnnx writes them, and padded as only newer versions can."""
    weight = weights_of((3, 3, 3, 3))
    params = {0: 3, 1: 3, 2: 1, 3: 1, 4: 2, 6: weight.size, 11: 3, 12: 1, 13: 1, 14: 1, 15: 0, 16: 2}
    check(tmp_path, network(Layer("Convolution", "c", ("in",), ("out",), params)), fp32(weight), textured(9, 10))


@pytest.mark.parametrize(
    "layer",
    [
        Layer("ReLU", "r", ("in",), ("out",), {}),
        Layer("ReLU", "r", ("in",), ("out",), {0: 0.25}),
        Layer("Sigmoid", "s", ("in",), ("out",), {}),
        *(Layer("BinaryOp", "b", ("in",), ("out",), {0: kind, 1: 1, 2: -0.75}) for kind in (0, 1, 2, 3)),
    ],
)
def test_single_operations_are_equal(tmp_path: Path, layer: Layer) -> None:
    check(tmp_path, network(layer), b"", textured(9, 10) - 0.5)


def test_a_shuffle_may_keep_colours_together(tmp_path: Path) -> None:
    weight = weights_of((12, 3, 1, 1))
    widen = Layer("Convolution", "c", ("in",), ("wide",), {0: 12, 1: 1, 6: weight.size})
    for mode in (0, 1):
        layers = network(widen, Layer("PixelShuffle", "s", ("wide",), ("out",), {0: 2, 1: mode}))
        check(tmp_path, layers, fp32(weight), textured(9, 10))


def test_attention_sums_and_crops_are_equal(tmp_path: Path) -> None:
    widen, squeeze, narrow = weights_of((16, 3, 1, 1)), weights_of((16, 16)), weights_of((3, 16, 1, 1))
    layers = network(
        Layer("Convolution", "w", ("in",), ("wide",), {0: 16, 1: 1, 6: widen.size}),
        Layer("Split", "s", ("wide",), ("a", "b", "c"), {}),
        Layer("Pooling", "p", ("a",), ("mean",), {0: 1, 4: 1}),
        Layer("InnerProduct", "f", ("mean",), ("gate",), {0: 16, 1: 1, 2: squeeze.size, 9: 4}),
        Layer("Scale", "g", ("b", "gate"), ("gated",), {0: -233}),
        Layer("Eltwise", "e", ("gated", "c"), ("sum",), {0: 1, 1: (0.25, 1.0)}),
        Layer("Crop", "k", ("sum",), ("inner",), {9: (2, 2), 10: (-2, -2), 11: (-2, -1)}),
        Layer("Convolution", "n", ("inner",), ("out",), {0: 3, 1: 1, 6: narrow.size}),
    )
    weights = fp32(widen) + fp16(squeeze) + weights_of((16,)).tobytes() + fp32(narrow)
    check(tmp_path, layers, weights, textured(12, 14))


@pytest.mark.parametrize("border", [0, 3])
def test_the_residual_is_part_of_both_forms(tmp_path: Path, border: int) -> None:
    weight = weights_of((48, 3, 3, 3))
    body = network(
        Layer("Convolution", "c", ("in",), ("m",), {0: 48, 1: 3, 4: 1, 6: weight.size}),
        Layer("PixelShuffle", "s", ("m",), ("wide",), {0: 4}),
    )
    body += (Layer("Crop", "k", ("wide",), ("out",), _crop(4 * border)),) if border else ()
    layers = adapt(body, residual=True, scale=4, border=border, name="n")
    assert layers[0].outputs == ("x",)
    assert layers[-1].outputs == ("y",)
    check(tmp_path, layers, fp32(weight), textured(12, 14))


def _crop(pixels: int) -> dict[int, tuple[int, ...]]:
    return {9: (pixels, pixels), 10: (-pixels, -pixels), 11: (-2, -1)}


# Refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (Layer("Softmax", "odd", ("in",), ("out",), {}), "Softmax"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 7: 3}), "7"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 80}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 9: 77}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 9: 2}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 4: 99, 6: 81}), "odd"),
        (Layer("Convolution", "odd", ("nowhere",), ("out",), {0: 3, 1: 3, 6: 81}), "nowhere"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 10**15}), "too early"),
        (Layer("Deconvolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 3: 0, 6: 81}), "odd"),
        (Layer("Interp", "odd", ("in",), ("out",), {0: 1, 1: 1e300, 2: 1e300}), "odd"),
        (Layer("Interp", "odd", ("in",), ("out",), {0: 3, 1: 0.7071, 2: 0.7071}), "odd"),
        (Layer("Crop", "odd", ("in",), ("out",), {9: (1, 2), 10: (-1, -2), 11: (-2, -1)}), "odd"),
        (Layer("BinaryOp", "odd", ("in", "in"), ("out",), {0: 7}), "odd"),
        (Layer("BinaryOp", "odd", ("in", "in"), ("out",), {0: 2, 1: 1}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 11: 5}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 13: 2}), "odd"),
        (Layer("Convolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 6: 81, 15: -233}), "odd"),
        (Layer("Deconvolution", "odd", ("in",), ("out",), {0: 3, 1: 3, 3: 2, 6: 81, 16: 1}), "odd"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(layer: Layer, named: str) -> None:
    with pytest.raises(WeightsRefusedError) as caught:
        import_ncnn(network(layer), fp32(weights_of((81,))), name="some/file.param")
    assert "some/file.param" in str(caught.value)
    assert named in caught.value.text("en")


def test_weights_left_over_are_refused() -> None:
    layer = Layer("Convolution", "c", ("in",), ("out",), {0: 3, 1: 3, 6: 81})
    with pytest.raises(WeightsRefusedError, match="left over"):
        import_ncnn(network(layer), fp32(weights_of((82,))), name="n")


def test_weights_stored_in_an_unknown_way_are_refused() -> None:
    layer = Layer("Convolution", "c", ("in",), ("out",), {0: 3, 1: 3, 6: 81})
    with pytest.raises(WeightsRefusedError, match="0x2c056"):
        import_ncnn(network(layer), (0x2C056).to_bytes(4, "little") + bytes(400), name="n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7767516\n1 1\nInput in 0 1 in",
        "7767517\n1 1\nInput in",
        "7767517\n1 1\nInput in 0 99 in",
        "7767517\n1 1\nInput in -1 1 in",
        "7767517\n1 1\nInput in 0 1 in 0=zero",
        "7767517\n1 1\nInput in 0 1 in -23300=3,1",
    ],
)
def test_what_is_no_parameter_file_is_refused(text: str) -> None:
    with pytest.raises(WeightsRefusedError, match=r"some\.param"):
        parse_param(text, name="some.param")


def test_a_network_with_two_ends_is_refused() -> None:
    layers = network(Layer("Split", "s", ("in",), ("a", "b"), {}))
    with pytest.raises(WeightsRefusedError, match="exactly one"):
        adapt(layers, residual=False, scale=1, border=0, name="n")


_words = st.text("abcdefgh_0123", min_size=1, max_size=6)
_numbers = st.integers(-500, 500) | st.floats(-1e6, 1e6, width=32)
_layers = st.builds(
    Layer,
    type=_words,
    name=_words,
    inputs=st.lists(_words, max_size=3).map(tuple),
    outputs=st.lists(_words, max_size=3).map(tuple),
    params=st.dictionaries(st.integers(0, 30), _numbers | st.lists(_numbers, max_size=3).map(tuple), max_size=4),
)


@given(st.lists(_layers, min_size=1, max_size=5).map(tuple))
def test_what_is_written_is_read_back(layers: tuple[Layer, ...]) -> None:
    assert parse_param(format_param(layers), name="n") == layers
