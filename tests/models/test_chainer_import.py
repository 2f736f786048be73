"""Chainer's .npz files are read as arrays and nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from waifu2x_networks import VGG7, chain_state, resnet_state, write_npz

from checkpoint_files import runs
from enlarger.errors import WeightsRefusedError
from enlarger.models import chainer_import
from enlarger.models.chainer_import import read_npz


def test_links_are_named_as_pytorch_names_layers(tmp_path: Path) -> None:
    for state in (chain_state(VGG7), resnet_state(up=True)):
        read = read_npz(write_npz(tmp_path / "w.npz", state))
        assert read.keys() == state.keys()
        assert all(np.array_equal(read[key], state[key]) for key in state)


def test_a_pickle_inside_is_not_run(tmp_path: Path) -> None:
    target, path = tmp_path / "ran", tmp_path / "w.npz"
    header = np.lib.format.magic(1, 0) + (118).to_bytes(2, "little")
    described = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conv1/W.npy", header + described + runs(target))
    with pytest.raises(WeightsRefusedError, match=r"w\.npz: .*the file is broken"):
        read_npz(path)
    assert not target.exists()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_npz(tmp_path / "w.npz", {"conv1.weight": np.zeros((1 << 10, 1 << 10), np.float32)})
    assert path.stat().st_size < 1 << 16
    monkeypatch.setattr(chainer_import, "_MAX_BYTES", 1 << 20)
    with pytest.raises(WeightsRefusedError, match="absurdly much memory"):
        read_npz(path)


def test_bytes_are_counted_as_what_they_become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.npz"
    np.savez_compressed(path, **{"conv1/W": np.zeros((1 << 10, 1 << 9), np.uint8)})
    monkeypatch.setattr(chainer_import, "_MAX_BYTES", 1 << 20)
    with pytest.raises(WeightsRefusedError, match="absurdly much memory"):
        read_npz(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_numpy_does_not_pack_with_is_refused(tmp_path: Path, packing: int) -> None:
    plain, path = write_npz(tmp_path / "plain.npz", {"conv1.weight": np.zeros(4, np.float32)}), tmp_path / "w.npz"
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(path, "w", packing) as written:
        for name in read.namelist():
            written.writestr(name, read.read(name))
    with pytest.raises(WeightsRefusedError, match=r"w\.npz: .*the file is broken"):
        read_npz(path)


@pytest.mark.parametrize(
    "described",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<U9', 'fortran_order': False, 'shape': (1,), }",
        "__import__('os')",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, }",
        "{'descr': ('<f4', 5, 6), 'fortran_order': False, 'shape': (4,), }",
        "{1: 2, 'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
        "(" * 100,
    ],
)
def test_a_header_that_claims_what_is_not_there_is_refused(tmp_path: Path, described: str) -> None:
    path, header = tmp_path / "w.npz", described.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conv1/W.npy", np.lib.format.magic(1, 0) + (118).to_bytes(2, "little") + header + bytes(16))
    with pytest.raises(WeightsRefusedError, match=r"w\.npz: .*the file is broken"):
        read_npz(path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with pytest.raises(WeightsRefusedError, match=r"w\.npz: .*the file is broken"):
        read_npz(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsRefusedError, match=r"none\.npz"):
        read_npz(tmp_path / "none.npz")
