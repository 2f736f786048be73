"""Read Chainer's .npz files: arrays under the paths of their links, here renamed as PyTorch names the same layers."""

from __future__ import annotations

import pickle
import zipfile
import zlib
from lzma import LZMAError
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.refusal import refusal

_MAX_BYTES = 1024**3  # all arrays together, as float32
_KINDS = {"W": "weight", "b": "bias"}
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_BROKEN = (  # what a damaged archive or header makes zipfile and NumPy raise; RuntimeError: encrypted
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    LZMAError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
)


def read_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays, "res1/conv1/W" as "res1.conv1.weight"; WeightsRefusedError when it is hostile or broken."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(_needed_bytes(archive, member) for member in members) > _MAX_BYTES:
                raise refusal(name, msg("its arrays ask for absurdly much memory"))
            return {_torch_name(member.filename): _array(archive, member) for member in members}
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _needed_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Of the array as float32, and of what it is read from: bytes become four times as large. Raises ValueError."""
    if member.compress_type not in _PACKINGS:
        raise ValueError(f"{member.filename} compression {member.compress_type}")
    with archive.open(member) as file:
        shape, _, _ = _header(file, member)
    return max(4 * prod(shape), member.file_size)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.float32]:
    with archive.open(member) as file:
        shape, in_columns, dtype = _header(file, member)
        numbers = np.frombuffer(file.read(), dtype)
    return numbers.reshape(shape, order="F" if in_columns else "C").astype(np.float32, order="C")


def _header(file: IO[bytes], member: zipfile.ZipInfo) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """NumPy itself would make room for whatever the header claims, and unpickle objects; raises ValueError."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read_header(file)
    if dtype.kind not in "fiu" or prod(shape) * dtype.itemsize != member.file_size - file.tell():
        raise ValueError(f"{member.filename} {dtype} {shape}")
    return shape, in_columns, dtype


def _torch_name(member: str) -> str:
    *links, kind = member.removesuffix(".npy").split("/")
    return ".".join([*links, _KINDS.get(kind, kind)])
