"""Checkpoints become arrays; hostile and broken ones become one clear error, and nothing in them runs."""

from __future__ import annotations

import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_files import (
    call,
    dictionary,
    items,
    named,
    number,
    program,
    row_major,
    runs,
    storage,
    tensor,
    text,
    write_archive,
    write_checkpoint,
)
from enlarger.errors import WeightsRefusedError
from enlarger.models.checkpoint import read_checkpoint
from enlarger.models.safe_pickle import loads

NUMBERS = np.arange(24, dtype=np.float32)


def refused(path: Path) -> str:
    with pytest.raises(WeightsRefusedError) as caught:
        read_checkpoint(path)
    assert str(path) in caught.value.text("en")
    assert caught.value.remedy is not None
    return caught.value.text("en")


@pytest.mark.parametrize("wrapper", ["params_ema", "params", ""])
@pytest.mark.parametrize("kind", ["Float", "Half", "Double", "Long"])
def test_a_state_dict_comes_back_as_float32(tmp_path: Path, wrapper: str, kind: str) -> None:
    state = {"a.weight": NUMBERS.reshape(2, 3, 4), "a.bias": NUMBERS[:2]}
    read = read_checkpoint(write_checkpoint(tmp_path / "w.pth", state, wrapper=wrapper, kind=kind))
    assert list(read) == ["a.weight", "a.bias"]
    for name, values in state.items():
        assert read[name].dtype == np.float32
        assert read[name].flags.c_contiguous
        np.testing.assert_array_equal(read[name], values)


def test_the_averaged_weights_are_preferred(tmp_path: Path) -> None:
    stored = {"0": NUMBERS[:2].tobytes(), "1": NUMBERS[2:4].tobytes()}
    both = {
        wrapper: dictionary({"a": tensor(storage(key, 2), (2,), (1,))})
        for wrapper, key in (("params", "0"), ("params_ema", "1"))
    }
    read = read_checkpoint(write_archive(tmp_path / "w.pth", program(dictionary(both)), stored))
    np.testing.assert_array_equal(read["a"], [2, 3])


def test_bfloat16_and_strides_are_read(tmp_path: Path) -> None:
    upper_halves = (NUMBERS[:6].view(np.uint32) >> 16).astype(np.uint16)
    transposed = tensor(storage("0", 6, "BFloat16"), (3, 2), (1, 3))
    path = write_archive(tmp_path / "w.pth", program(dictionary({"a": transposed})), {"0": upper_halves.tobytes()})
    np.testing.assert_array_equal(read_checkpoint(path)["a"], NUMBERS[:6].reshape(2, 3).T)


def test_a_scalar_stays_one(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "w.pth", program(dictionary({"a": tensor(storage("0", 1), (), ())})), {"0": b"\0" * 4}
    )
    assert read_checkpoint(path)["a"].shape == ()


HOSTILE_CALLS = {
    "os.system": call(named("os", "system"), text("touch ran")),
    "posix.system": call(named("posix", "system"), text("touch ran")),
    "builtins.eval": call(named("builtins", "eval"), text("open('ran', 'w')")),
    "builtins.exec": call(named("builtins", "exec"), text("open('ran', 'w')")),
    "builtins.getattr": call(named("builtins", "getattr"), named("collections", "OrderedDict"), text("__init__")),
    "torch.load": call(named("torch", "load"), text("ran")),
    "torch.serialization.load": call(named("torch.serialization", "load"), text("ran")),
    "torch.Storage": named("torch", "Storage"),
    "torch.FloatStorage.__init__": named("torch", "FloatStorage.__init__"),
    "torch._utils._rebuild_tensor_v2.__globals__": named("torch._utils", "_rebuild_tensor_v2.__globals__"),
    "collections.OrderedDict.fromkeys": named("collections", "OrderedDict.fromkeys"),
    "copyreg._reconstructor": named("copyreg", "_reconstructor"),
    "enlarger.models.safe_pickle.loads": named("enlarger.models.safe_pickle", "loads"),
}


@pytest.mark.parametrize("asked", HOSTILE_CALLS)
@pytest.mark.parametrize("nested", [False, True])
def test_what_a_hostile_pickle_asks_for_is_named_and_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, nested: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = HOSTILE_CALLS[asked]
    value = dictionary({"params": dictionary({"a": hostile})}) if nested else hostile
    assert asked in refused(write_archive(tmp_path / "w.pth", program(value)))
    assert not Path("ran").exists()


def test_pickles_that_python_would_run_do_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    pickle.loads(runs(marker))
    assert marker.exists(), "the pickle is hostile indeed"
    marker.unlink()
    refused(write_archive(tmp_path / "w.pth", runs(marker)))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("instruction", "value"),
    [
        ("INST", b"(X\x01\0\0\0aios\nsystem\n"),
        ("OBJ", b"(" + named("os", "system") + b"o"),
        ("NEWOBJ", named("collections", "OrderedDict") + b")\x81"),
        ("EXT1", b"\x82\x01"),
        ("PERSID", b"Pstorage\n"),
        ("BYTEARRAY8", b"\x96\x01\0\0\0\0\0\0\0a"),
        ("LONG4", b"\x8b\x01\0\0\0a"),
        ("DUP", b"}2"),
    ],
)
def test_instructions_that_checkpoints_do_not_need_are_refused(tmp_path: Path, instruction: str, value: bytes) -> None:
    assert instruction in refused(write_archive(tmp_path / "w.pth", program(value)))


ALLOWED = {
    "function": named("torch._utils", "_rebuild_tensor_v2"),
    "kind": named("torch", "FloatStorage"),
    "storage": storage("0", 1),
    "tensor": tensor(storage("0", 1), (1,), (1,)),
    "class": named("collections", "OrderedDict"),
}


STATES = {
    "attributes": dictionary({"make": text("x"), "kind": text("x")}),
    "slots": items(b"N", dictionary({"make": b"N"})),
}


@pytest.mark.parametrize("target", ALLOWED)
@pytest.mark.parametrize("state", STATES)
def test_nothing_allowed_can_be_changed_from_within(tmp_path: Path, target: str, state: str) -> None:
    refused(write_archive(tmp_path / "w.pth", program(ALLOWED[target] + STATES[state] + b"b"), {"0": b"\0" * 4}))


def test_setstate_tricks_only_reach_what_is_allowed(tmp_path: Path) -> None:
    """An OrderedDict may be given attributes, as PyTorch does; one called __setstate__ is then called, to no effect."""
    made = call(named("collections", "OrderedDict"))
    trick = (
        made + dictionary({"__setstate__": named("torch._utils", "_rebuild_parameter")}) + b"b" + text("touch") + b"b"
    )
    assert loads(program(trick)) == {}


def test_metadata_on_the_state_dict_is_ignored(tmp_path: Path) -> None:
    entry = text("a") + tensor(storage("0", 1), (1,), (1,)) + b"s"
    state = call(named("collections", "OrderedDict")) + entry + dictionary({"_metadata": b"}"}) + b"b"
    path = write_archive(tmp_path / "w.pth", program(state), {"0": NUMBERS[5:6].tobytes()})
    np.testing.assert_array_equal(read_checkpoint(path)["a"], [5])


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((25,), (1,), 0),
        ((24,), (1,), 1),
        ((2,), (24,), 0),
        ((2,), (2**62,), 0),
        ((2**40,), (0,), 0),
        ((2**31, 2**31, 2**31), (0, 0, 0), 0),
        ((-1,), (1,), 0),
        ((2,), (-1,), 5),
        ((2,), (1,), -1),
        ((1,), (1,), 2**80),
        ((2, 2), (1,), 0),
        ((1,) * 9, (1,) * 9, 0),
    ],
)
def test_tensors_outside_of_their_storage_are_refused(
    tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    value = dictionary({"a": tensor(storage("0", 24), size, stride, offset)})
    refused(write_archive(tmp_path / "w.pth", program(value), {"0": NUMBERS.tobytes()}))


@pytest.mark.parametrize("key", ["1", "../data.pkl", "/etc/passwd"])
def test_storages_outside_of_the_archive_are_refused(tmp_path: Path, key: str) -> None:
    value = dictionary({"a": tensor(storage(key, 1), (1,), (1,))})
    refused(write_archive(tmp_path / "w.pth", program(value), {"0": NUMBERS.tobytes()}))


def test_numbers_in_place_of_a_storage_are_refused(tmp_path: Path) -> None:
    refused(write_archive(tmp_path / "w.pth", program(dictionary({"a": tensor(number(3), (1,), (1,))}))))


def test_many_views_of_one_storage_cannot_fill_the_memory(tmp_path: Path) -> None:
    count = 1 << 20
    view = tensor(storage("0", count), (count,), (1,))
    value = dictionary({str(index): view for index in range(1100)})
    assert "memory" in refused(write_archive(tmp_path / "w.pth", program(value), {"0": b"\0" * 4 * count}))


def test_a_memo_of_absurd_size_is_not_made(tmp_path: Path) -> None:
    assert "memory" in refused(write_archive(tmp_path / "w.pth", program(b"}r\xff\xff\xff\x7f")))


def test_compressed_archives_are_refused(tmp_path: Path) -> None:
    bomb = {"0": b"\0" * 10_000_000}
    path = write_archive(tmp_path / "w.pth", program(b"}"), bomb, zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(path)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    refused(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.pth")


@pytest.mark.parametrize("value", [b"N", b"}", b"]", number(3), dictionary({"params": b"}"}), dictionary({"a": b"N"})])
def test_a_pickle_without_tensors_is_refused(tmp_path: Path, value: bytes) -> None:
    assert "dictionary of tensors" in refused(write_archive(tmp_path / "w.pth", program(value)))


@given(st.data())
def test_damaged_pickles_end_in_a_refusal_or_in_plain_values(data: st.DataObject) -> None:
    whole = bytearray(program(dictionary({"a": tensor(storage("0", 24), (2, 3, 4), row_major((2, 3, 4)))})))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder, suppress(WeightsRefusedError):
        read = read_checkpoint(write_archive(Path(folder, "w.pth"), bytes(whole), {"0": NUMBERS.tobytes()}))
        assert all(array.size <= NUMBERS.size for array in read.values())


@pytest.mark.oracle
@pytest.mark.shared
def test_a_published_checkpoint_reads_as_pytorch_reads_it(shared: Path) -> None:
    torch = pytest.importorskip("torch")
    path = shared / "weights" / "realesrgan" / "realesr-animevideov3.pth"
    expected = torch.load(path, map_location="cpu", weights_only=True)["params"]
    read = read_checkpoint(path)
    assert list(read) == list(expected)
    assert all(np.array_equal(read[name], expected[name].numpy()) for name in expected)


@pytest.mark.oracle
def test_what_pytorch_saves_today_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    state = module.state_dict() | {"half": torch.randn(3, 4).half().T, "parameter": torch.nn.Parameter(torch.ones(2))}
    torch.save(state, tmp_path / "w.pth")
    read = read_checkpoint(tmp_path / "w.pth")
    assert all(np.array_equal(read[name], state[name].detach().float().numpy()) for name in state)
