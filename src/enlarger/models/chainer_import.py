"""Read Chainer's .npz files: arrays under the paths of their links, here renamed as PyTorch names the same layers."""

from __future__ import annotations

import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.refusal import refusal

_MAX_BYTES = 1024**3  # all arrays together, unpacked
_KINDS = {"W": "weight", "b": "bias"}


def read_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays, "res1/conv1/W" as "res1.conv1.weight"; WeightsRefusedError when it is hostile or broken."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > _MAX_BYTES:
                raise refusal(name, msg("its arrays ask for absurdly much memory"))
            return {_torch_name(member.filename): _array(archive, member) for member in members}
    except (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]  # RuntimeError: encrypted
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.float32]:
    """NumPy itself would make room for whatever the header claims, and unpickle objects; raises ValueError."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, in_columns, dtype = read_header(file)
        if dtype.kind not in "fiu" or prod(shape) * dtype.itemsize != member.file_size - file.tell():
            raise ValueError(f"{member.filename} {dtype} {shape}")
        numbers = np.frombuffer(file.read(), dtype)
    return numbers.reshape(shape, order="F" if in_columns else "C").astype(np.float32, order="C")


def _torch_name(member: str) -> str:
    *links, kind = member.removesuffix(".npy").split("/")
    return ".".join([*links, _KINDS.get(kind, kind)])
