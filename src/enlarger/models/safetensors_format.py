"""Read .safetensors: eight bytes of length, a JSON header, and raw numbers; nothing in it can be run.

The format is Hugging Face's (https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import Message, msg
from enlarger.models.refusal import refusal

_MAX_HEADER_BYTES = 16 * 1024**2
_MAX_TENSOR_BYTES = 1024**3  # all tensors together, as float32; the largest of these networks have a tenth
_MAX_DIMENSIONS = 8
_DTYPES: Mapping[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"}


class _BrokenError(Exception):
    """What is wrong with the file; becomes a refusal that names it."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


def read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors by name, all as float32; WeightsRefusedError when a number in the header is not to be believed."""
    try:
        with path.open("rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except _BrokenError as error:
        raise refusal(str(path), error.reason) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise refusal(str(path), msg("it cannot be read ({reason})", reason=reason)) from error
    except (ValueError, ArithmeticError, MemoryError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(str(path), msg("the file is broken ({reason})", reason=reason)) from error


def _read(file: BinaryIO, size_bytes: int) -> dict[str, NDArray[np.float32]]:
    """The numbers only after all that the header says of them was checked: it may be any file, of any size."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(_MAX_HEADER_BYTES, size_bytes - 8):
        raise _BrokenError(msg("this is not a safetensors file"))
    header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise _BrokenError(msg("this is not a safetensors file"))
    start = 8 + length
    described = {n: _described(entry, size_bytes - start) for n, entry in header.items() if n != "__metadata__"}
    _refuse_bombs(described.values())
    return {name: _array(tensor, file, start) for name, tensor in described.items()}


@dataclass(frozen=True)
class _Tensor:
    """What the header says of one, checked."""

    dtype: str
    shape: list[int]
    start: int
    end: int


def _described(entry: Any, count_bytes: int) -> _Tensor:
    match entry:
        case {"dtype": str() as dtype, "shape": list() as shape, "data_offsets": [int() as start, int() as end]}:
            return _checked(_Tensor(dtype, shape, start, end), count_bytes)
    raise _BrokenError(msg("one of its tensors is not described"))


def _checked(tensor: _Tensor, count_bytes: int) -> _Tensor:
    if tensor.dtype not in _DTYPES:
        raise _BrokenError(msg("it keeps its numbers in an unknown way ({dtype})", dtype=tensor.dtype))
    shape = tensor.shape
    if len(shape) > _MAX_DIMENSIONS or not all(type(length) is int and length >= 0 for length in shape):
        raise _BrokenError(msg("one of its tensors is not described"))
    inside = 0 <= tensor.start <= tensor.end <= count_bytes
    if not inside or tensor.end - tensor.start != prod(shape) * np.dtype(_DTYPES[tensor.dtype]).itemsize:
        raise _BrokenError(msg("one of its tensors lies outside of the numbers it has"))
    return tensor


def _refuse_bombs(tensors: Collection[_Tensor]) -> None:
    """Many names for the same numbers would make a small file ask for more memory than there is."""
    placed = sorted((tensor.start, tensor.end) for tensor in tensors if tensor.end > tensor.start)
    if any(end > next_start for (_, end), (next_start, _) in pairwise(placed)):
        raise _BrokenError(msg("two of its tensors lie in the same place"))
    if sum(4 * prod(tensor.shape) for tensor in tensors) > _MAX_TENSOR_BYTES:
        raise _BrokenError(msg("its tensors ask for absurdly much memory"))


def _array(tensor: _Tensor, file: BinaryIO, start: int) -> NDArray[np.float32]:
    file.seek(start + tensor.start)
    raw = np.fromfile(file, _DTYPES[tensor.dtype], prod(tensor.shape)).reshape(tensor.shape)
    if tensor.dtype != "BF16":
        return raw.astype(np.float32, copy=False)
    wide = raw.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)
