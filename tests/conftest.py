"""What every test may ask for: the folder of golden data, and settings in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from enlarger.runtimes import TROUBLES
from enlarger.settings import Settings
from loud_skips import missing

_ROOT = Path(__file__).parent.parent

# whoever tests Vulkan asks for it: looking for devices starts a process, and drivers write what they like
os.environ.setdefault("ENLARGER_VULKAN", "0")

# no test is about time: an example that is slow on a busy machine says nothing about the code
hypothesis_settings.register_profile("enlarger", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("enlarger")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden data, weights and images, named by ENLARGER_SHARED."""
    folder = Path(os.environ.get("ENLARGER_SHARED") or _ROOT.parent / "shared").resolve()
    if not (folder / "golden").is_dir():
        missing(f"the shared test data ({folder})")
    return folder


@pytest.fixture(autouse=True)
def _untroubled_devices() -> Iterator[None]:
    """A device that failed is left alone by the whole process for minutes: not by the next test."""
    TROUBLES.forget()
    yield
    TROUBLES.forget()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that keep everything below the test's own folder and never fetch."""
    return Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", offline=True)
