"""A graph's form for ncnn, kept beside it: the two files, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger.messages import Message
from enlarger.models.ncnn_write import UnwritableError, write_ncnn
from enlarger.storage import write_atomic


@dataclass(frozen=True)
class NcnnFiles:
    """The same network for the ncnn runtime: blobs "x" and "y" mean what the graph's input and output mean."""

    param: Path
    bin: Path


@dataclass(frozen=True)
class NcnnForm:
    """`files`, or the `reason` why there are none."""

    files: NcnnFiles | None
    reason: Message | None = None


def keep_ncnn_form(onnx: bytes, path: Path) -> dict[str, Any]:
    """Write the form of the graph kept at `path` beside it; what the manifest is to say. Raises StorageError."""
    try:
        written = write_ncnn(onnx)
    except UnwritableError as error:
        return {"reason": error.reason.as_json()}
    files, param = _beside(path), written.param.encode()
    write_atomic(files.param, param)
    write_atomic(files.bin, written.bin)
    return {"param_bytes": len(param), "bin_bytes": len(written.bin)}


def load_ncnn_form(path: Path, facts: Mapping[str, Any]) -> NcnnForm:
    """What `keep_ncnn_form` left; raises OSError, LookupError, TypeError or ValueError where it is not whole."""
    if "reason" in facts:
        return NcnnForm(None, Message.from_json(facts["reason"]))
    files = _beside(path)
    if (files.param.stat().st_size, files.bin.stat().st_size) != (facts["param_bytes"], facts["bin_bytes"]):
        raise ValueError(files.bin)
    return NcnnForm(files)


def _beside(path: Path) -> NcnnFiles:
    return NcnnFiles(path.with_suffix(".param"), path.with_suffix(".bin"))
