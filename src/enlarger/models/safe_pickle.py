"""Unpickle what describes tensors and nothing else: a pickle is a program, and this one may hardly say anything.

Two gates: the opcodes are read through first, and only those that build plain values get on; then the
unpickler resolves a dozen names, none to a real class or function of PyTorch. What comes out is inert.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from enlarger.messages import Message, msg

MAX_PICKLE_BYTES = 16 * 1024**2

_OPCODES = frozenset(
    {
        *("PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE"),
        *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS"),
        *("EMPTY_DICT", "SETITEM", "SETITEMS"),
        *("BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET"),
        *("GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    }
)
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


class RefusedPickleError(Exception):
    """A pickle that says more than it may, and `reason`, what it said."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class Storage(NamedTuple):
    """A reference to raw numbers elsewhere in the file: `kind` "Float", "Half" …; `length` unchecked, as pickled."""

    kind: str
    key: str
    length: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the raw numbers; those of "BFloat16" are the upper halves of float32."""
        return np.dtype(_DTYPES[self.kind])


class Tensor(NamedTuple):
    """A view of a storage; fields unchecked, as pickled."""

    storage: Any
    offset: Any
    size: Any
    stride: Any


class _Kind(NamedTuple):
    """What `torch.FloatStorage` resolves to."""

    kind: str


class _Maker(NamedTuple):
    """What a function of PyTorch resolves to: being a tuple, a pickle cannot change it."""

    make: Callable[..., object]

    def __call__(self, *args: object) -> object:
        return self.make(*args)


class Pickled(NamedTuple):
    """What a pickle says: its `value`, tensors as `Tensor`; and all `storages` it mentions, by key."""

    value: object
    storages: Mapping[str, Storage]


def loads(data: bytes) -> object:
    """The pickled value, tensors as `Tensor`. RefusedPickleError, or whatever a broken pickle makes pickle raise."""
    return load(io.BytesIO(data)).value


def load(file: BinaryIO) -> Pickled:
    """The pickle that begins where `file` is; it is left behind the pickle's end. Raises as `loads`."""
    start, largest_memo = file.tell(), 0
    for opcode, argument, _position in pickletools.genops(file):
        if opcode.name not in _OPCODES:
            raise RefusedPickleError(msg("its pickle uses the instruction {name}", name=opcode.name))
        if file.tell() - start > MAX_PICKLE_BYTES:
            raise RefusedPickleError(msg("it does not hold one pickle of reasonable size"))
        if opcode.name == "LONG_BINPUT" and isinstance(argument, int):
            largest_memo = max(largest_memo, argument)
    length = file.tell() - start
    if largest_memo > length:  # the C unpickler would obey
        raise RefusedPickleError(msg("its pickle asks for absurdly much memory"))
    file.seek(start)
    unpickler = _Unpickler(io.BytesIO(file.read(length)))
    return Pickled(unpickler.load(), unpickler.storages)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: io.BytesIO) -> None:
        super().__init__(data)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        kind = name.removesuffix("Storage")
        if module == "torch" and kind in _DTYPES and kind != name:
            return _Kind(kind)
        if (module, name) in _MAKERS:
            return _Maker(_MAKERS[module, name])
        raise RefusedPickleError(msg("its pickle asks for {module}.{name}", module=module, name=name))

    def persistent_load(self, pid: object) -> Storage:
        if isinstance(pid, tuple) and pid[5:] == (None,):  # PyTorch before 1.6: that it is no part of another storage
            pid = pid[:5]
        match pid:
            case ("storage", _Kind(kind), str() as key, _, int() as length):
                storage = Storage(kind, key, length)
                self.storages.setdefault(key, storage)
                return storage
        raise RefusedPickleError(msg("it keeps its numbers in an unknown way"))


def _tensor(storage: object, offset: object, size: object, stride: object, *_autograd: object) -> Tensor:
    return Tensor(storage, offset, size, stride)


def _parameter(data: object, *_autograd: object) -> object:
    return data


_MAKERS: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
