"""Unpickle what describes tensors and nothing else: a pickle is a program, and this one may hardly say anything.

Two gates: the opcodes are read through first, and only those that build plain values get on; then the
unpickler resolves a dozen names, none to a real class or function of PyTorch. What comes out is inert.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from enlarger.messages import Message, msg

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
_STORAGES = frozenset({"Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"})


class RefusedPickleError(Exception):
    """A pickle that says more than it may, and `reason`, what it said."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class Storage(NamedTuple):
    """A reference to raw numbers elsewhere in the file: `kind` "Float", "Half" …; fields unchecked, as pickled."""

    kind: Any
    key: Any
    count: Any


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


def loads(data: bytes) -> object:
    """The pickled value, tensors as `Tensor`. RefusedPickleError, or whatever a broken pickle makes pickle raise."""
    for opcode, argument, _position in pickletools.genops(data):
        if opcode.name not in _OPCODES:
            raise RefusedPickleError(msg("its pickle uses the instruction {name}", name=opcode.name))
        if opcode.name == "LONG_BINPUT" and isinstance(argument, int) and argument > len(data):
            raise RefusedPickleError(msg("its pickle asks for absurdly much memory"))  # the C unpickler would obey
    return _Unpickler(io.BytesIO(data)).load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        kind = name.removesuffix("Storage")
        if module == "torch" and kind in _STORAGES and kind != name:
            return _Kind(kind)
        if (module, name) in _MAKERS:
            return _Maker(_MAKERS[module, name])
        raise RefusedPickleError(msg("its pickle asks for {module}.{name}", module=module, name=name))

    def persistent_load(self, pid: object) -> Storage:
        match pid:
            case ("storage", _Kind(kind), str() as key, _, int() as count):
                return Storage(kind, key, count)
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
