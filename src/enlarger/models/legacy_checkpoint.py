"""PyTorch's file format before version 1.6, which older checkpoints have, and those that PyTorch 1.0 is to read.

Four pickles, a magic number, a version, what the machine was like, and the state dict; then the keys of all storages
as a fifth, and the raw numbers of each in that order behind their count.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.safe_pickle import Pickled, RefusedPickleError, Storage, load

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_COUNT = struct.Struct("<q")


def read_legacy(file: BinaryIO) -> tuple[object, Callable[[Storage], NDArray[Any]]]:
    """(What was pickled, how the numbers of one of its storages are read while the file is open).

    Raises RefusedPickleError, or whatever a broken file makes pickle, struct and NumPy raise.
    """
    _check_head(file)
    pickled = load(file)
    offsets = _offsets(file, load(file).value, pickled)

    def numbers(storage: Storage) -> NDArray[Any]:
        if pickled.storages[storage.key] != storage:  # another length or type the second time
            raise _contradictory()
        file.seek(offsets[storage.key])
        return np.frombuffer(file.read(storage.length * storage.dtype.itemsize), storage.dtype, storage.length)

    return pickled.value, numbers


def _check_head(file: BinaryIO) -> None:
    if load(file).value != _MAGIC:
        raise RefusedPickleError(msg("this is not a PyTorch file"))
    version, machine = load(file).value, load(file).value
    if version != _VERSION or not isinstance(machine, Mapping):
        raise RefusedPickleError(msg("it keeps its numbers in an unknown way"))
    if machine.get("little_endian") is not True:
        raise RefusedPickleError(msg("it was written on a big-endian machine"))


def _offsets(file: BinaryIO, keys: object, pickled: Pickled) -> dict[str, int]:
    """Where each storage's numbers begin; a storage is there once, and as large as the pickle says."""
    if not isinstance(keys, list) or len(keys) != len(set(keys)):
        raise RefusedPickleError(msg("it keeps its numbers in an unknown way"))
    offsets = {}
    for key in keys:
        storage = pickled.storages[key]
        (count,) = _COUNT.unpack(file.read(_COUNT.size))
        if count != storage.length or count < 0:
            raise _contradictory()
        offsets[key] = file.tell()
        file.seek(count * storage.dtype.itemsize, 1)
    return offsets


def _contradictory() -> RefusedPickleError:
    return RefusedPickleError(msg("one of its tensors lies outside of the numbers it has"))
