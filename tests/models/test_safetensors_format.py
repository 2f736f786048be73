"""A .safetensors file gives its tensors, and no header can make it give anything else."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from checkpoint_files import small_srvgg
from enlarger.errors import WeightsRefusedError
from enlarger.models import safetensors_format
from enlarger.models.pytorch_import import import_pytorch
from enlarger.models.safetensors_format import read_safetensors

_NAMES = {"<f4": "F32", "<f2": "F16", "<f8": "F64", "<i8": "I64"}


def pack(header: object, numbers: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


def write_safetensors(path: Path, state: dict[str, NDArray[Any]], dtype: str = "<f4") -> Path:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    numbers = b""
    for name, values in state.items():
        data = values.astype(dtype).tobytes()
        offsets = [len(numbers), len(numbers) + len(data)]
        header[name] = {"dtype": _NAMES[dtype], "shape": list(values.shape), "data_offsets": offsets}
        numbers += data
    path.write_bytes(pack(header, numbers))
    return path


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_a_network_comes_out_as_it_went_in(tmp_path: Path, dtype: str) -> None:
    state = small_srvgg()
    read = read_safetensors(write_safetensors(tmp_path / "w.safetensors", state, dtype))
    assert import_pytorch(read, name="a") == import_pytorch(state, name="a")


def test_half_and_bfloat_are_widened(tmp_path: Path) -> None:
    values = np.array([[0.5, -2.0, 3.25]], np.float32)
    half = read_safetensors(write_safetensors(tmp_path / "h.safetensors", {"a": values}, "<f2"))
    assert half["a"].dtype == np.float32
    assert np.array_equal(half["a"], values)
    brain = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    path = tmp_path / "b.safetensors"
    path.write_bytes(pack({"a": {"dtype": "BF16", "shape": [1, 3], "data_offsets": [0, 6]}}, brain))
    assert np.array_equal(read_safetensors(path)["a"], values)


def entry(**changes: object) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a safetensors file"),
        ((1 << 62).to_bytes(8, "little") + b"{}", "not a safetensors file"),
        (pack([]), "not a safetensors file"),
        (pack(b"{nonsense"), "the file is broken"),
        (pack(b'{"a":' * 50_000), "the file is broken"),
        (pack({"a": 1}), "not described"),
        (pack(entry(shape=[True]), bytes(8)), "not described"),
        (pack(entry(shape=[-2]), bytes(8)), "not described"),
        (pack(entry(shape=[1] * 9), bytes(8)), "not described"),
        (pack(entry(dtype="F8_E4M3"), bytes(8)), r"unknown way \(F8_E4M3\)"),
        (pack(entry(), bytes(7)), "outside"),
        (pack(entry(data_offsets=[4, 8]), bytes(8)), "outside"),
        (pack(entry(data_offsets=[8, 0]), bytes(8)), "outside"),
        (pack(entry(shape=[1 << 40, 1 << 40]), bytes(8)), "outside"),
        (pack(entry(data_offsets=["0", "8"]), bytes(8)), "not described"),
    ],
)
def test_what_cannot_be_believed_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsRefusedError, match=rf"w\.safetensors: .*{said}"):
        read_safetensors(path)


def test_many_names_for_the_same_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    header = {f"t{number}": {"dtype": "F32", "shape": [256], "data_offsets": [0, 1024]} for number in range(2)}
    path.write_bytes(pack(header, bytes(1024)))
    with pytest.raises(WeightsRefusedError, match="same place"):
        read_safetensors(path)


def test_halves_are_counted_as_what_they_become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_safetensors(tmp_path / "w.safetensors", {"a": np.zeros(512, np.float32)}, "<f2")
    monkeypatch.setattr(safetensors_format, "_MAX_TENSOR_BYTES", 2047)
    with pytest.raises(WeightsRefusedError, match="absurdly much memory"):
        read_safetensors(path)


_MIB = 1024**2


@contextmanager
def takes_at_most(limit_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "not a safetensors file"),
        (entry(shape=[1 << 28, 8], data_offsets=[0, 1 << 33]), "outside"),
        (entry(shape=[8 * _MIB], data_offsets=[0, 32 * _MIB], dtype="F8_E4M3"), "unknown way"),
    ],
)
def test_a_large_file_is_refused_by_its_header_alone(tmp_path: Path, header: Any, said: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(bytes(8) if header is None else pack(header))
    os.truncate(path, 64 * _MIB)
    with takes_at_most(_MIB), pytest.raises(WeightsRefusedError, match=said):
        read_safetensors(path)


def test_numbers_are_in_memory_once_and_only_those_that_are_described(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(pack(entry(shape=[2 * _MIB], data_offsets=[16, 16 + 8 * _MIB])))
    os.truncate(path, 64 * _MIB)
    with takes_at_most(9 * _MIB):
        assert not read_safetensors(path)["a"].any()


@given(st.binary(max_size=60), st.integers(0, 80))
def test_no_bytes_make_it_do_anything_but_refuse(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, size: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "w.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + tail)
    try:
        read = read_safetensors(path)
    except WeightsRefusedError:
        return
    assert all(values.dtype == np.float32 for values in read.values())
