"""Read a PyTorch checkpoint into NumPy arrays, without PyTorch and without running anything that is in it.

A `.pth` is a zip, uncompressed, of one pickle (`*/data.pkl`) and the raw numbers of each storage (`*/data/<key>`).
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from functools import reduce
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.refusal import refusal
from enlarger.models.safe_pickle import RefusedPickleError, Storage, Tensor, loads

Array = NDArray[Any]

_MAX_PICKLE_BYTES = 16 * 1024**2
_MAX_TENSOR_BYTES = 4 * 1024**3  # all tensors together, as float32
_MAX_DIMENSIONS = 8
_DTYPES: Mapping[str, str] = {
    "Double": "<f8",
    "Float": "<f4",
    "Half": "<f2",
    "BFloat16": "<u2",  # the upper half of a float32
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "i1",
    "Byte": "u1",
    "Bool": "?",
}
_WRAPPERS = ("params_ema", "params", "state_dict")  # where trainers keep the weights, better ones first
_BROKEN = (  # what a damaged archive or pickle makes zipfile, pickle and NumPy raise
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_checkpoint(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a state dict by name, all as float32.

    Looks below "params_ema", then "params", then "state_dict", else takes the whole. Raises WeightsRefusedError,
    naming the file and what it asked for, when it is hostile, broken or no zip; nothing in it is run.
    """
    name = str(path)
    try:
        if not zipfile.is_zipfile(path):
            raise _no_zip(path)
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path.stat().st_size)
    except RefusedPickleError as error:
        raise refusal(name, error.reason) from error
    except OSError as error:
        raise refusal(name, msg("it cannot be read ({reason})", reason=error.strerror or str(error))) from error
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _no_zip(path: Path) -> Exception:
    with path.open("rb") as file:
        is_pickle = file.read(1) == pickle.PROTO
    if not is_pickle:
        return refusal(str(path), msg("this is not a PyTorch file"))
    return refusal(
        str(path),
        msg("it is in the format PyTorch wrote before version 1.6"),
        msg("Save it again with a current PyTorch: torch.save(torch.load(file, weights_only=True), file)."),
    )


def _read(archive: zipfile.ZipFile, size_bytes: int) -> dict[str, NDArray[np.float32]]:
    _check_members(archive, size_bytes)
    pickles = [name for name in archive.namelist() if name.count("/") <= 1 and name.endswith("data.pkl")]
    if len(pickles) != 1 or archive.getinfo(pickles[0]).file_size > _MAX_PICKLE_BYTES:
        raise RefusedPickleError(msg("it does not hold one pickle of reasonable size"))
    state = _state_dict(loads(archive.read(pickles[0])))
    if sum(4 * _count(_sizes(tensor.size)) for tensor in state.values()) > _MAX_TENSOR_BYTES:
        raise RefusedPickleError(msg("its tensors ask for absurdly much memory"))
    folder = pickles[0].removesuffix("data.pkl")
    return {name: _array(archive, folder, tensor) for name, tensor in state.items()}


def _check_members(archive: zipfile.ZipFile, size_bytes: int) -> None:
    """Stored, not compressed, and together no larger than the file: so no archive can unpack to more than it is."""
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise RefusedPickleError(msg("it is compressed, which PyTorch's files never are"))
    if sum(member.file_size for member in members) > size_bytes:
        raise RefusedPickleError(msg("its parts claim to be larger than the file"))
    for member in members:
        if member.filename.endswith("byteorder") and archive.read(member) != b"little":
            raise RefusedPickleError(msg("it was written on a big-endian machine"))


def _state_dict(value: object) -> dict[str, Tensor]:
    if not isinstance(value, dict):
        raise RefusedPickleError(msg("it holds no dictionary of tensors"))
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), dict):
            return _state_dict(value[wrapper])
    tensors = {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, Tensor)}
    if not tensors:
        raise RefusedPickleError(msg("it holds no dictionary of tensors"))
    return tensors


def _array(archive: zipfile.ZipFile, folder: str, tensor: Tensor) -> NDArray[np.float32]:
    """The tensor as its own array; every number of its description is checked before it is believed."""
    storage, sizes, strides = tensor.storage, _sizes(tensor.size), _sizes(tensor.stride)
    (offset,) = _sizes((tensor.offset,))
    if not isinstance(storage, Storage) or len(sizes) != len(strides):
        raise _outside()
    numbers = np.frombuffer(archive.read(f"{folder}data/{storage.key}"), _DTYPES[storage.kind])
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if _count(sizes) > numbers.size or (_count(sizes) and last >= numbers.size):
        raise _outside()
    steps = [stride * numbers.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(numbers[offset:], sizes, steps, writeable=False)
    return _as_float32(view, storage.kind)


def _sizes(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > _MAX_DIMENSIONS:
        raise _outside()
    if not all(type(number) is int and number >= 0 for number in value):
        raise _outside()
    return value


def _count(sizes: tuple[int, ...]) -> int:
    return reduce(mul, sizes, 1)


def _outside() -> RefusedPickleError:
    return RefusedPickleError(msg("one of its tensors lies outside of the numbers it has"))


def _as_float32(view: Array, kind: str) -> NDArray[np.float32]:
    numbers = (view.astype(np.uint32) << 16).view(np.float32) if kind == "BFloat16" else view
    return numbers.astype(np.float32, order="C")
