"""Read Chainer's .npz files: arrays under the paths of their links, here renamed as PyTorch names the same layers."""

from __future__ import annotations

import zipfile
import zlib
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
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise refusal(name, msg("its arrays ask for absurdly much memory"))
        with np.load(path, allow_pickle=False) as arrays:
            return {_torch_name(key): arrays[key].astype(np.float32) for key in arrays.files}
    except (OSError, ValueError, EOFError, SyntaxError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]  # RuntimeError: encrypted
        raise refusal(name, msg("the file is broken ({reason})", reason=reason)) from error


def _torch_name(key: str) -> str:
    *links, kind = key.split("/")
    return ".".join([*links, _KINDS.get(kind, kind)])
