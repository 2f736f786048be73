"""A person's ONNX file becomes a graph like all others, or is refused by what is wrong with it; nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from networks import psnr, run_openvino, textured
from onnx import TensorProto, helper, numpy_helper

from enlarger.errors import WeightsRefusedError
from enlarger.models.onnx_import import import_onnx
from onnx_files import model, one, plain_2x, relu, with_external_data, write


def expected(picture: np.ndarray) -> np.ndarray:
    """What the file itself gives, under its own names."""
    from onnx.reference import ReferenceEvaluator

    return np.array(ReferenceEvaluator(plain_2x()).run(None, {"input": picture[None]})[0][0])


@pytest.mark.parametrize(
    ("dtype", "kind", "db"), [(np.float32, TensorProto.FLOAT, 100), (np.float16, TensorProto.FLOAT16, 50)]
)
def test_it_gives_what_it_gave_under_our_names(tmp_path: Path, dtype: type, kind: int, db: float) -> None:
    picture = textured(16, 20)
    onnx_model = import_onnx(write(tmp_path / "mine.onnx", plain_2x(dtype, kind=kind)))
    assert psnr(run_openvino(onnx_model, picture), expected(picture)) >= db
    onnx.checker.check_model(onnx.load_model_from_string(onnx_model), full_check=True)


def test_fixed_sizes_are_let_go(tmp_path: Path) -> None:
    fixed = import_onnx(write(tmp_path / "a.onnx", plain_2x(given=(1, 3, 64, 64), made=(1, 3, 128, 128))))
    assert fixed == import_onnx(write(tmp_path / "b.onnx", plain_2x()))


def test_constants_among_the_inputs_are_no_inputs(tmp_path: Path) -> None:
    made = plain_2x()
    for tensor in made.graph.initializer:
        made.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    assert import_onnx(write(tmp_path / "old.onnx", made)) == import_onnx(write(tmp_path / "new.onnx", plain_2x()))


def two_outputs() -> Any:
    made = relu()
    made.graph.output.append(helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, 3, "h", "w")))
    return made


def old() -> Any:
    made = relu()
    made.opset_import[0].version = 6
    return made


def with_function() -> Any:
    made = relu()
    made.functions.append(helper.make_function("own", "F", ["a"], ["a"], [], [helper.make_opsetid("", 17)]))
    return made


def looping() -> Any:
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["d"])], "body", [], [])
    return one("Loop", body=body)


def foreign(*domains: str) -> Any:
    node = helper.make_node("Run", ["input"], ["output"], domain=domains[0] if domains else "evil")
    return model([node], domains=domains)


def dangling() -> Any:
    return model([helper.make_node("Relu", ["nowhere"], ["output"])])


def hidden_external() -> Any:
    value = numpy_helper.from_array(np.ones(3, np.float32), "v")
    value.ClearField("raw_data")
    value.data_location = TensorProto.EXTERNAL
    value.external_data.add(key="location", value="../secrets")
    constant = helper.make_node("Constant", [], ["c"], value=value)
    return model([constant, helper.make_node("Relu", ["input"], ["output"])])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (two_outputs, r"not exactly one input and one output \(1 → 2\)"),
        (lambda: relu(given=(1, 1, "h", "w")), r"“input” is \(1, 1, \?, \?\), and should be \(1, 3, height, width\)"),
        (lambda: relu(made=(1, 4, "h", "w")), r"“output” is \(1, 4, \?, \?\)"),
        (lambda: relu(given=("n", 3)), r"“input” is \(\?, 3\)"),
        (lambda: relu(kind=TensorProto.UINT8), "“input” is neither fp32 nor fp16"),
        (old, "older than operator set 7"),
        (with_function, "operators that are not ONNX's own"),
        (lambda: foreign("com.example"), "operators that are not ONNX's own"),
        (foreign, r"operator evil\.Run is not ONNX's own"),
        (lambda: one("NoSuchOperator"), "the file is broken .*NoSuchOperator"),
        (looping, "operator Loop is control flow"),
        (lambda: one("RandomNormalLike"), "makes random numbers"),
        (dangling, "the file is broken"),
        (hidden_external, "keeps its weights in other files"),
    ],
)
def test_what_is_not_one_plain_network_is_refused(tmp_path: Path, make: Callable[[], Any], said: str) -> None:
    path = write(tmp_path / "odd.onnx", make())
    with pytest.raises(WeightsRefusedError, match=rf"odd\.onnx: .*{said}"):
        import_onnx(path)


@pytest.mark.parametrize("location", ["weights.bin", "../../etc/passwd", "/etc/passwd"])
def test_weights_in_other_files_are_not_even_looked_at(tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(4096))
    with pytest.raises(WeightsRefusedError, match="keeps its weights in other files"):
        import_onnx(with_external_data(tmp_path / "far.onnx", location))


@pytest.mark.parametrize("content", [b"nonsense, at length", b"\x08" * 99, b"PK\x03\x04", b""])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsRefusedError, match=r"no\.onnx: these weights cannot be used"):
        import_onnx(path)
