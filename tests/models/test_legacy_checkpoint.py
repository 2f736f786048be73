"""Files of PyTorch before 1.6 become the same arrays; what contradicts itself, or runs, is refused."""

from __future__ import annotations

import pickle
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_files import (
    LEGACY_MAGIC,
    call,
    dictionary,
    legacy_head,
    legacy_numbers,
    legacy_storage,
    named,
    number,
    program,
    row_major,
    runs,
    small_srvgg,
    storage,
    tensor,
    text,
    write_checkpoint,
    write_legacy,
)
from enlarger.errors import WeightsRefusedError
from enlarger.models.checkpoint import read_checkpoint
from loud_skips import missing

NUMBERS = np.arange(24, dtype=np.float32)
STATE = {"a.weight": NUMBERS.reshape(2, 3, 4), "a.bias": NUMBERS[:2]}


def refused(path: Path) -> str:
    with pytest.raises(WeightsRefusedError) as caught:
        read_checkpoint(path)
    assert str(path) in caught.value.text("en")
    return caught.value.text("en")


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


def one_tensor(stored: bytes = b"") -> bytes:
    return program(dictionary({"a": tensor(stored or legacy_storage("0", 24), (2, 3, 4), row_major((2, 3, 4)))}))


def test_it_reads_as_the_same_in_todays_format(tmp_path: Path) -> None:
    state = small_srvgg()
    older = read_checkpoint(write_legacy(tmp_path / "old.pth", state))
    today = read_checkpoint(write_checkpoint(tmp_path / "new.pth", state))
    assert list(older) == list(today)
    assert all(np.array_equal(older[name], today[name]) for name in today)


@pytest.mark.oracle
def test_what_pytorch_saves_so_is_read(tmp_path: Path) -> None:
    try:
        import torch
    except ImportError:
        missing("PyTorch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    shared = torch.randn(6, 4)
    state = module.state_dict() | {"half": torch.randn(3, 4).half().T, "rows": shared[2:], "brain": shared.bfloat16()}
    path = tmp_path / "w.pth"
    torch.save({"params_ema": state, "epoch": 3}, path, _use_new_zipfile_serialization=False)
    read = read_checkpoint(path)
    assert list(read) == list(state)
    assert all(np.array_equal(read[name], state[name].detach().float().numpy()) for name in state)


@pytest.mark.parametrize("write", [write_checkpoint, write_legacy], ids=["today", "before 1.6"])
@pytest.mark.parametrize("value", [number(1), b"\x88", b"N"], ids=["1", "True", "None"])
def test_pros_mark_is_kept_though_it_is_no_tensor(tmp_path: Path, write: object, value: bytes) -> None:
    """The authors write the number 1, and go by its being there."""
    assert callable(write)
    wrapped = {"wrapper": ""} if write is write_checkpoint else {}
    read = read_checkpoint(write(tmp_path / "w.pth", STATE, **wrapped, pro=value, epoch=number(7)))
    assert (read["pro"].shape, read.keys()) == ((), {"pro", *STATE})


def test_a_hostile_pickle_is_refused_by_what_it_asks_for(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    hostile = runs(marker)
    for parts in ((hostile,), (legacy_head(), hostile), (legacy_head(), one_tensor(), hostile)):
        refused(written(tmp_path / "w.pth", *parts))
    asked = call(named("os", "system"), text("touch ran"))
    assert "os.system" in refused(written(tmp_path / "w.pth", legacy_head(), program(dictionary({"a": asked}))))
    assert not marker.exists()
    pickle.loads(hostile)
    assert marker.exists(), "it is hostile indeed"


WHOLE = legacy_numbers({"0": (24, NUMBERS.tobytes())})
ODD = {
    "another magic number": ((legacy_head(magic=5), one_tensor(), WHOLE), "not a PyTorch file"),
    "another version": ((legacy_head(version=1002), one_tensor(), WHOLE), "unknown way"),
    "big-endian": ((legacy_head(little_endian=False), one_tensor(), WHOLE), "big-endian"),
    "nothing but the head": ((legacy_head(),), "broken"),
    "no numbers": ((legacy_head(), one_tensor()), "broken"),
    "too few numbers": ((legacy_head(), one_tensor(), WHOLE[:-1]), "broken"),
    "a count of others": ((legacy_head(), one_tensor(), legacy_numbers({"0": (23, b"")})), "outside"),
    "a count below nothing": (
        (legacy_head(), one_tensor(legacy_storage("0", -1)), legacy_numbers({"0": (-1, b"")})),
        "outside",
    ),
    "an absurd count": (
        (legacy_head(), one_tensor(legacy_storage("0", 2**62)), legacy_numbers({"0": (2**62, b"")})),
        "broken",
    ),
    "a storage nobody mentions": ((legacy_head(), one_tensor(), legacy_numbers({"1": (24, b"")})), "broken"),
    "no list of keys": ((legacy_head(), one_tensor(), program(number(3))), "unknown way"),
    "a key twice": ((legacy_head(), one_tensor(), program(b"](" + text("0") * 2 + b"e")), "unknown way"),
    "a storage as today's": ((legacy_head(), one_tensor(storage("0", 23)), WHOLE), "outside"),
    "part of another storage": (
        (legacy_head(), one_tensor(legacy_storage("0", 24).replace(b"Nt", b"\x88t")), WHOLE),
        "unknown way",
    ),
    "no dictionary": ((legacy_head(), program(number(3)), legacy_numbers({})), "dictionary of tensors"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_a_file_that_contradicts_itself_is_refused(tmp_path: Path, oddity: str) -> None:
    parts, said = ODD[oddity]
    assert said in refused(written(tmp_path / "w.pth", *parts))


def test_one_storage_of_two_lengths_is_refused(tmp_path: Path) -> None:
    twice = {key: tensor(legacy_storage("0", count), (2,), (1,)) for key, count in (("a", 24), ("b", 30))}
    assert "outside" in refused(written(tmp_path / "w.pth", legacy_head(), program(dictionary(twice)), WHOLE))


def test_a_pickle_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    endless = b"\x80\x02" + (b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20)) * 17
    assert "reasonable size" in refused(written(tmp_path / "w.pth", legacy_head(), endless))


def test_the_magic_number_alone_is_no_checkpoint(tmp_path: Path) -> None:
    assert "broken" in refused(written(tmp_path / "w.pth", pickle.dumps(LEGACY_MAGIC, protocol=2), b"more"))


@given(st.data())
def test_damage_ends_in_a_refusal_or_in_plain_values(data: st.DataObject) -> None:
    whole = bytearray(legacy_head() + one_tensor() + WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(len(whole) // 2, len(whole))) :]
    with TemporaryDirectory() as folder, suppress(WeightsRefusedError):
        read = read_checkpoint(written(Path(folder, "w.pth"), bytes(whole)))
        assert all(array.size <= NUMBERS.size for array in read.values())
