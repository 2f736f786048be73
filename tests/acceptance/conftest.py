"""The real command, and an Enhancer with real weights, for every acceptance test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_command import Command

from enlarger.enhance import Enhancer
from enlarger.models import found_at
from enlarger.settings import Settings
from loud_skips import missing
from packaged_cards import packaged_cards


@pytest.fixture(scope="session", autouse=True)
def weights() -> None:
    """All weights that come with packages must be here: nothing is fetched."""
    variants = [variant for card in packaged_cards() for variant in card.variants]
    absent = {str(variant.package) for variant in variants if not found_at(variant, Settings())}
    if absent:
        missing(", ".join(sorted(absent)))


@pytest.fixture(scope="session")
def graphs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that all tests share, so that graphs are made once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def enlarger(graphs_dir: Path, tmp_path: Path) -> Command:
    """The command with an empty cache."""
    return Command(graphs_dir, tmp_path / "cache")


@pytest.fixture
def other(graphs_dir: Path, tmp_path: Path) -> Command:
    """The same command on a machine that shares nothing with `enlarger` but the weights."""
    return Command(graphs_dir, tmp_path / "other cache")


@pytest.fixture(scope="session")
def enhancer(graphs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enhancer]:
    """Real networks on OpenVINO."""
    settings = Settings(data_dir=graphs_dir, cache_dir=tmp_path_factory.mktemp("cache"), offline=True)
    with Enhancer(settings, device="openvino") as enhancer:
        yield enhancer
