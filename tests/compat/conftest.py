"""The manager of this process with the fake runtime: one for a file's tests, or one for a test of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from compat_workers import gated_crew, settings_in

from enlarger import UpscaleManager
from enlarger.compat.private_jobs import MakeCrew
from enlarger.compat.tasks import Tasks

Managing = Callable[..., UpscaleManager]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file's manager keeps all it has."""
    return tmp_path_factory.mktemp("manager")


@pytest.fixture(scope="module")
def manager(folder: Path) -> Iterator[UpscaleManager]:
    """With one gated worker, for all tests of the file."""
    with pytest.MonkeyPatch.context() as patch:
        yield _begun(patch, gated_crew(folder), folder)
        UpscaleManager().cleanup()


@pytest.fixture
def managing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Managing]:
    """Gives the manager for a crew and settings; the crew is by default the gated one."""

    def begin(make_crew: MakeCrew | None = None, **settings: object) -> UpscaleManager:
        return _begun(monkeypatch, make_crew or gated_crew(tmp_path), tmp_path, **settings)

    yield begin
    UpscaleManager().cleanup()


def _begun(patch: pytest.MonkeyPatch, make_crew: MakeCrew, folder: Path, **settings: object) -> UpscaleManager:
    """The one seam: everything behind it is real, but for the runtime."""
    patch.setattr(UpscaleManager, "_open", lambda _self, settings: Tasks(settings, make_crew=make_crew))
    return UpscaleManager(settings_in(folder, **settings))
