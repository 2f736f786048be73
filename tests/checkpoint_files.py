"""Write PyTorch checkpoints without PyTorch, well-formed ones and hostile ones, pickle opcode by opcode."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"Float": "<f4", "Half": "<f2", "Double": "<f8", "Long": "<i8"}


def named(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def number(value: int) -> bytes:
    data = value.to_bytes(16, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def items(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def dictionary(entries: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + items(*arguments) + b"R"


def program(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def storage(key: str, count: int, kind: str = "Float") -> bytes:
    return items(text("storage"), named("torch", f"{kind}Storage"), text(key), text("cpu"), number(count)) + b"Q"


def tensor(stored: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    shapes = (items(*map(number, size)), items(*map(number, stride)))
    hooks = call(named("collections", "OrderedDict"))
    return call(named("torch._utils", "_rebuild_tensor_v2"), stored, number(offset), *shapes, b"\x89", hooks)


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape)))


def write_archive(
    path: Path, pickled: bytes, storages: Mapping[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def write_checkpoint(
    path: Path, state: Mapping[str, NDArray[Any]], *, wrapper: str = "params", kind: str = "Float", **marks: bytes
) -> Path:
    entries, storages = dict(marks), {}
    for index, (name, values) in enumerate(state.items()):
        storages[str(index)] = values.astype(_DTYPES[kind]).tobytes()
        entries[name] = tensor(storage(str(index), values.size, kind), values.shape, row_major(values.shape))
    pickled = dictionary(entries)
    return write_archive(path, program(dictionary({wrapper: pickled}) if wrapper else pickled), storages)


LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def legacy_head(*, magic: int = LEGACY_MAGIC, version: int = 1001, little_endian: bool = True) -> bytes:
    """What a file of PyTorch before 1.6 begins with."""
    machine = dictionary({"protocol_version": number(version), "little_endian": b"\x88" if little_endian else b"\x89"})
    return program(number(magic)) + program(number(version)) + program(machine)


def legacy_storage(key: str, count: int, kind: str = "Float") -> bytes:
    parts = (text("storage"), named("torch", f"{kind}Storage"), text(key), text("cpu"), number(count), b"N")
    return items(*parts) + b"Q"


def legacy_numbers(storages: Mapping[str, tuple[int, bytes]]) -> bytes:
    """The keys of the storages, and for each how many numbers it says it has, and its bytes."""
    keys = b"](" + b"".join(map(text, storages)) + b"e"
    return program(keys) + b"".join(
        count.to_bytes(8, "little", signed=True) + data for count, data in storages.values()
    )


def write_legacy(path: Path, state: Mapping[str, NDArray[np.float32]], **entries: bytes) -> Path:
    """A state dict as PyTorch wrote it before 1.6; `entries` are pickled values beside its tensors."""
    storages = {str(index): (values.size, values.tobytes()) for index, values in enumerate(state.values())}
    tensors = {
        name: tensor(legacy_storage(str(index), values.size), values.shape, row_major(values.shape))
        for index, (name, values) in enumerate(state.items())
    }
    path.write_bytes(legacy_head() + program(dictionary({**entries, **tensors})) + legacy_numbers(storages))
    return path


def runs(target: Path) -> bytes:
    """A pickle that, unpickled without care, makes the file `target`."""

    class Touch:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (target,))

    return pickle.dumps(Touch())


def small_srvgg(scale: int = 4, features: int = 8, convs: int = 2, seed: int = 1) -> dict[str, NDArray[np.float32]]:
    """SRVGGNetCompact's state dict with random weights: `convs` + 2 convolutions."""
    random = np.random.default_rng(seed).random  # not normal(): its last bits depend on the C library
    widths = [3, *[features] * (convs + 1), 3 * scale**2]
    state: dict[str, NDArray[np.float32]] = {}
    for index, (read, made) in enumerate(pairwise(widths)):
        state[f"body.{2 * index}.weight"] = random((made, read, 3, 3), np.float32) * 0.5 - 0.25
        state[f"body.{2 * index}.bias"] = random(made, np.float32) * 0.125 - 0.0625
        if index < len(widths) - 2:
            state[f"body.{2 * index + 1}.weight"] = random(made, np.float32) * 0.5
    return state
