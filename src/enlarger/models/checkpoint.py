"""Read a PyTorch checkpoint into NumPy arrays, without PyTorch and without running anything that is in it.

A `.pth` is a zip, uncompressed, of one pickle (`*/data.pkl`) and the raw numbers of each storage (`*/data/<key>`).
Older ones are what `legacy_checkpoint` reads.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import reduce
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.legacy_checkpoint import read_legacy
from enlarger.models.refusal import refusal
from enlarger.models.safe_pickle import MAX_PICKLE_BYTES, RefusedPickleError, Storage, Tensor, loads

Array = NDArray[Any]
Numbers = Callable[[Storage], Array]

_MAX_TENSOR_BYTES = 4 * 1024**3  # all tensors together, as float32
_MAX_DIMENSIONS = 8
_WRAPPERS = ("params_ema", "params", "state_dict")  # where trainers keep the weights, better ones first
_MARKS = ("pro",)  # entries that tell networks apart though they are plain numbers (Real-CUGAN Pro's)
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
    struct.error,
    TypeError,
    ValueError,
)


def read_checkpoint(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a state dict by name, all as float32; Real-CUGAN Pro's mark, a plain number, as a scalar.

    Looks below "params_ema", then "params", then "state_dict", else takes the whole. Raises WeightsRefusedError,
    naming the file and what it asked for, when it is hostile, broken or no checkpoint; nothing in it is run.
    """
    name = str(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _arrays(*_read_archive(archive, path.stat().st_size))
        with path.open("rb") as file:
            if file.peek(1)[:1] != pickle.PROTO:
                raise RefusedPickleError(msg("this is not a PyTorch file"))
            return _arrays(*read_legacy(file))
    except RefusedPickleError as error:
        raise refusal(name, error.reason) from error
    except OSError as error:
        raise refusal(name, msg("it cannot be read ({reason})", reason=error.strerror or str(error))) from error
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _read_archive(archive: zipfile.ZipFile, size_bytes: int) -> tuple[object, Numbers]:
    """(What was pickled, how the numbers of one of its storages are read while the archive is open)."""
    _check_members(archive, size_bytes)
    pickles = [name for name in archive.namelist() if name.count("/") <= 1 and name.endswith("data.pkl")]
    if len(pickles) != 1 or archive.getinfo(pickles[0]).file_size > MAX_PICKLE_BYTES:
        raise RefusedPickleError(msg("it does not hold one pickle of reasonable size"))
    folder = pickles[0].removesuffix("data.pkl")

    def numbers(storage: Storage) -> Array:
        return np.frombuffer(archive.read(f"{folder}data/{storage.key}"), storage.dtype)

    return loads(archive.read(pickles[0])), numbers


def _arrays(pickled: object, numbers: Numbers) -> dict[str, NDArray[np.float32]]:
    state = _state_dict(pickled)
    tensors = {key: value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise RefusedPickleError(msg("it holds no dictionary of tensors"))
    if sum(4 * _count(_sizes(tensor.size)) for tensor in tensors.values()) > _MAX_TENSOR_BYTES:
        raise RefusedPickleError(msg("its tensors ask for absurdly much memory"))
    marks = {mark: np.ones((), np.float32) for mark in _MARKS if mark in state}
    return marks | {name: _array(numbers, tensor) for name, tensor in tensors.items()}


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


def _state_dict(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise RefusedPickleError(msg("it holds no dictionary of tensors"))
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), dict):
            return _state_dict(value[wrapper])
    return {key: item for key, item in value.items() if isinstance(key, str)}


def _array(numbers_of: Numbers, tensor: Tensor) -> NDArray[np.float32]:
    """The tensor as its own array; every number of its description is checked before it is believed."""
    storage, sizes, strides = tensor.storage, _sizes(tensor.size), _sizes(tensor.stride)
    (offset,) = _sizes((tensor.offset,))
    if not isinstance(storage, Storage) or len(sizes) != len(strides):
        raise _outside()
    numbers = numbers_of(storage)
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
