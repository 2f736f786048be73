"""The model watch sees weights come and go, wherever they lie."""

from __future__ import annotations

from pathlib import Path

from job_making import server_settings

from enlarger.jobs import StorageRoot
from enlarger.jobs.model_watch import ModelWatch


def test_what_comes_and_goes_is_noticed_once(tmp_path: Path) -> None:
    settings = server_settings(tmp_path)
    storage = StorageRoot.of(settings)
    storage.prepare()
    watch = ModelWatch(settings, storage)
    assert not watch.has_changed()
    weights = [settings.models_dir / "a-package" / "a.bin", storage.models / "b.pth"]
    for file in weights:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
        assert watch.has_changed()
        assert not watch.has_changed()
    for file in weights:
        file.unlink()
        assert watch.has_changed()
        assert not watch.has_changed()


def test_a_download_that_is_not_done_is_nothing_yet(tmp_path: Path) -> None:
    settings = server_settings(tmp_path)
    storage = StorageRoot.of(settings)
    storage.prepare()
    watch = ModelWatch(settings, storage)
    settings.models_dir.mkdir(parents=True)
    for name in ("x4.pth.part", "x4.pth.part.etag", ".x4.pth.lock", ".enlarger-1234"):
        (settings.models_dir / name).write_bytes(b"x")
        assert not watch.has_changed()
    (settings.models_dir / "x4.pth.part").replace(settings.models_dir / "x4.pth")
    assert watch.has_changed()
