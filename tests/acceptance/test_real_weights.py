"""Weights that are hostile, broken or badly served, through the real command; and the authors' own file."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawings import psnr
from page_files import page, write, write_pages
from PIL import Image
from real_command import Command

from enlarger.models import Card, load_catalog
from file_server import FileServer, serving

pytestmark = [pytest.mark.weights, pytest.mark.slow]

_MODEL = "realesr-animevideov3"
_NAME = f"{_MODEL}.pth"
_4X = ("--model", _MODEL, "--scale", "4", "--device", "openvino", "--precision", "exact")


def published_bytes() -> int:
    card = load_catalog().find(_MODEL)
    assert isinstance(card, Card)
    return card.checkpoints[0].file.size_bytes


@pytest.fixture
def enlarger(tmp_path: Path) -> Command:
    """With a data folder of its own: these tests put things into it. Asking the server is allowed."""
    return Command(tmp_path / "data", tmp_path / "cache", {"ENLARGER_OFFLINE": "0"})


# ---- hostile files ----


class Hostile:
    """Unpickled carelessly, it makes a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.proof),))


def hostile_checkpoint(path: Path, proof: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"params": Hostile(proof)}, protocol=2))
    return path


def test_a_hostile_checkpoint_in_the_models_folder_is_refused(enlarger: Command, tmp_path: Path) -> None:
    proof = tmp_path / "it ran"
    hostile_checkpoint(enlarger.data_dir / "models" / _NAME, proof)
    done = enlarger("upscale", write(tmp_path / "page.png", page(1)), *_4X)
    assert done.code == 4
    assert _NAME in done.err
    assert "mkdir" in done.err  # what it asked for
    assert len(done.err.strip().splitlines()) >= 2  # and what to do about it
    assert not proof.exists()
    assert not (tmp_path / "page_4x.png").exists()


def test_a_hostile_checkpoint_is_not_taken_in(enlarger: Command, tmp_path: Path) -> None:
    """Refused at the door: taken in, it would stand in the way of the package's good weights ever after."""
    proof = tmp_path / "it ran"
    evil = hostile_checkpoint(tmp_path / "downloaded.pth", proof)
    done = enlarger("models", "pull", _MODEL, "--from", evil)
    assert done.code == 4
    assert str(evil) in done.err
    assert not proof.exists()
    assert not list(enlarger.data_dir.rglob("*.pth"))
    page_file = write(tmp_path / "page.png", page(1, 32, 40))
    assert enlarger("upscale", page_file, *_4X).code == 0


def test_what_is_no_checkpoint_at_all_is_not_taken_in(enlarger: Command, tmp_path: Path) -> None:
    for name, data in (("text.pth", b"weights, honestly"), ("empty.pth", b""), ("old.pth", pickle.dumps({}))):
        done = enlarger("models", "pull", _MODEL, "--from", write(tmp_path / name, data))
        assert (done.code, name in done.err) == (4, True), done.err
    assert not list(enlarger.data_dir.rglob("*.pth"))


# ---- servers that misbehave ----


def pull_by_url(enlarger: Command, plan: FileServer) -> tuple[int, str]:
    with serving(plan):
        mirrored = replace(enlarger, environment={**enlarger.environment, "ENLARGER_MIRROR": plan.url})
        done = mirrored("models", "pull", _MODEL, "--source", "url")
    return done.code, done.err


def strangers_file() -> bytes:
    """As long as the published one."""
    return bytes(range(256)) * (published_bytes() // 256) + bytes(published_bytes() % 256)


@pytest.mark.parametrize(
    ("closes_after", "ranges"),
    [
        pytest.param([], [""], id="whole"),
        pytest.param([1_000_000] * 2, ["", "bytes=1000000-", "bytes=2000000-"], id="closes mid-download"),
    ],
)
def test_what_comes_is_checked_and_thrown_away(enlarger: Command, closes_after: list[int], ranges: list[str]) -> None:
    """What comes in parts is put together byte for byte, as the digest in the sentence shows."""
    plan = FileServer(strangers_file(), closes_after=list(closes_after))
    code, err = pull_by_url(enlarger, plan)
    assert code == 4
    assert _NAME in err
    assert hashlib.sha256(plan.content).hexdigest() in err
    assert "ENLARGER_MIRROR" in err
    assert plan.ranges == ranges
    assert list((enlarger.data_dir / "models").glob(f"{_NAME}*")) == []


def test_a_server_that_ignores_range_and_never_finishes_is_given_up(enlarger: Command) -> None:
    """Read from the start each time, never glued together; the next command goes on where this one stopped."""
    content = strangers_file()
    broken = FileServer(content, closes_after=[1_500_000] * 100, keeps_range=False)
    code, err = pull_by_url(enlarger, broken)
    assert code == 4
    assert f"{_NAME}: the download broke off" in err
    assert "Run the same command again" in err
    assert len(broken.asked) > 2
    part = enlarger.data_dir / "models" / f"{_NAME}.part"
    assert part.read_bytes() == content[:1_500_000]
    good = FileServer(content)
    _, err = pull_by_url(enlarger, good)
    assert good.ranges == ["bytes=1500000-"]
    assert hashlib.sha256(content).hexdigest() in err


def test_nobody_is_asked_for_what_is_here(enlarger: Command) -> None:
    plan = FileServer(b"never")
    with serving(plan):
        mirrored = replace(enlarger, environment={"ENLARGER_MIRROR": plan.url, "ENLARGER_OFFLINE": "0"})
        done = mirrored("models", "pull", _MODEL, "--json")
    assert done.code == 0
    assert plan.asked == []


# ---- the authors' own file ----


@pytest.mark.shared
def test_the_authors_file_and_the_packages_agree(enlarger: Command, tmp_path: Path, shared: Path) -> None:
    pages = write_pages(tmp_path / "book", 2, 60, 60)
    assert enlarger("upscale", pages, "-o", tmp_path / "package", *_4X).code == 0
    pulled = enlarger("models", "pull", _MODEL, "--from", shared / "weights" / "realesrgan" / _NAME)
    assert pulled.code == 0
    assert "not the published file" in pulled.err  # re-zipped: its SHA-256 differs, its tensors do not
    done = enlarger("upscale", pages, "-o", tmp_path / "authors", *_4X, "--json")
    assert done.totals["computed"] == 2  # other weights are another render
    for name in ("000.png", "001.png"):
        with Image.open(tmp_path / "package" / name) as one, Image.open(tmp_path / "authors" / name) as two:
            assert psnr(np.asarray(one), np.asarray(two)) > 45  # the package holds the same numbers in 16 bits
