"""Any file of weights as the one graph: which importer takes it, and whether it is what the card says."""

from __future__ import annotations

from pathlib import Path

from enlarger.messages import msg
from enlarger.models.card import Variant
from enlarger.models.chainer_import import read_npz
from enlarger.models.checkpoint import read_checkpoint
from enlarger.models.geometry import check_sizes
from enlarger.models.ncnn_adapt import adapt
from enlarger.models.ncnn_format import Layer, format_param, parse_param
from enlarger.models.ncnn_import import import_ncnn
from enlarger.models.onnx_import import import_onnx
from enlarger.models.pytorch_import import State, import_pytorch, recognise
from enlarger.models.refusal import refusal
from enlarger.models.safetensors_format import read_safetensors
from enlarger.models.torch7_import import read_torch7
from enlarger.models.waifu2x_import import import_waifu2x, recognise_chain
from enlarger.storage import storage_errors

STATE_READERS = {".pth": read_checkpoint, ".pt": read_checkpoint, ".ckpt": read_checkpoint, ".npz": read_npz}
STATE_READERS |= {".safetensors": read_safetensors}


def import_weights(paths: tuple[Path, ...], variant: Variant) -> tuple[bytes, str | None]:
    """(The ONNX graph of the variant, ncnn's own layers where the files are ncnn's).

    Raises WeightsRefusedError, naming the file, when it is hostile, broken or another network; StorageError.
    """
    path = paths[0]
    if path.suffix == ".param":
        return import_ncnn_files(paths, scale=variant.scale, border=variant.border, residual=variant.residual)
    if path.suffix == ".onnx":
        onnx = import_onnx(path)
        check_sizes(onnx, variant, name=str(path))
        return onnx, None
    if path.suffix == ".json":
        network = recognise_chain(read_torch7(path), name=str(path))
        _check_scale(path, network.scale, variant)
        return import_waifu2x(network, enlarged=variant.enlarged), None
    state = read_state(path, variant)
    return import_pytorch(state, name=str(path), enlarged=variant.enlarged), None


def read_state(path: Path, variant: Variant) -> State:
    """The tensors of a file that this variant can be made from; raises WeightsRefusedError."""
    state = STATE_READERS[path.suffix.lower()](path)
    _check_scale(path, recognise(state, name=str(path)).scale, variant)
    return state


def read_layers(param: Path) -> tuple[Layer, ...]:
    """ncnn's layers as the file has them; raises WeightsRefusedError, StorageError."""
    with storage_errors(param):
        text = param.read_text("utf-8", errors="replace")
    return parse_param(text, name=str(param))


def import_ncnn_files(
    paths: tuple[Path, ...], *, scale: int = 1, border: int = 0, residual: bool = False
) -> tuple[bytes, str]:
    """The graph of a .param and its .bin, and the layers with the blobs every runtime's network has."""
    param, weights = paths
    with storage_errors(weights):
        data = weights.read_bytes()
    layers = adapt(read_layers(param), residual=residual, scale=scale, border=border, name=str(param))
    return import_ncnn(layers, data, name=str(param)), format_param(layers)


def _check_scale(path: Path, network_scale: int, variant: Variant) -> None:
    found = network_scale * (2 if variant.enlarged else 1)
    if found != variant.scale:
        raise refusal(
            str(path),
            msg(
                "it enlarges {found}x, and {model} is {scale}x",
                found=found,
                model=variant.name,
                scale=variant.scale,
            ),
        )
