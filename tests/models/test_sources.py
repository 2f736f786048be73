"""Where weights are found, in which order, and what is said of damaged ones."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tiny import BIN, PACKAGE, PARAM, PTH, tiny_card

from enlarger.errors import WeightsRefusedError
from enlarger.models import Variant, found_at, load_catalog, locate
from enlarger.models.sources import installed_folder, pulled_folder
from enlarger.settings import Settings
from loud_skips import missing

VARIANT = tiny_card("https://tiny.example/TINY.pth").variants[0]
REAL = [variant for card in load_catalog().cards for variant in card.variants if variant.package is not None]


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site" / "tiny_weights" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return _fill(folder)


def _fill(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "TINY.param").write_bytes(PARAM)
    (folder / "TINY.bin").write_bytes(BIN)
    return folder


def test_nothing_is_found_where_nothing_is(settings: Settings) -> None:
    assert locate(VARIANT, settings) is None
    assert found_at(VARIANT, settings) is None


def test_the_users_own_files_come_before_the_packages(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = install(tmp_path, monkeypatch)
    pulled = pulled_folder(PACKAGE, settings)
    own = settings.models_dir / "TINY.pth"
    expected = [
        (lambda: None, (installed / "TINY.param", installed / "TINY.bin"), "tiny-weights 1.0"),
        (lambda: _fill(pulled), (pulled / "TINY.param", pulled / "TINY.bin"), str(pulled)),
        (lambda: own.write_bytes(PTH), (own,), str(own)),
    ]
    for step, paths, origin in expected:
        step()
        weights = locate(VARIANT, settings)
        assert weights is not None
        assert (weights.paths, weights.origin, weights.verified) == (paths, origin, True)
        assert found_at(VARIANT, settings) == origin
    assert "tiny_weights" not in sys.modules


def test_the_digest_is_of_the_content_wherever_it_lies(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch)
    installed = locate(VARIANT, settings)
    _fill(pulled_folder(PACKAGE, settings))
    pulled = locate(VARIANT, settings)
    assert installed is not None
    assert pulled is not None
    assert installed.digest == pulled.digest


def test_a_checkpoint_of_the_users_own_is_taken_but_not_called_verified(settings: Settings) -> None:
    settings.models_dir.mkdir(parents=True)
    (settings.models_dir / "TINY.pth").write_bytes(PTH + b"trained further")
    weights = locate(VARIANT, settings)
    assert weights is not None
    assert (weights.kind, weights.verified) == ("pth", False)


@pytest.mark.parametrize("content", [BIN[:-1], BIN[:-1] + b"?"])
def test_damaged_package_files_are_refused_by_name(settings: Settings, content: bytes) -> None:
    folder = _fill(pulled_folder(PACKAGE, settings))
    (folder / "TINY.bin").write_bytes(content)
    with pytest.raises(WeightsRefusedError, match=r"TINY\.bin: .*SHA-256 differs.*models pull MODEL_TINY_UP2X"):
        locate(VARIANT, settings)


@pytest.mark.weights
@pytest.mark.parametrize("variant", REAL, ids=lambda variant: variant.name)
def test_the_installed_packages_hold_exactly_what_the_cards_say(settings: Settings, variant: Variant) -> None:
    assert variant.package is not None
    if installed_folder(variant.package) is None:
        missing(str(variant.package))
    weights = locate(variant, settings)
    assert weights is not None
    assert weights.verified
    assert [path.name for path in weights.paths] == [Path(file.name).name for file in variant.files]
    assert variant.package.folder.split("/")[0] not in sys.modules


@pytest.mark.shared
@pytest.mark.weights
def test_the_rezipped_checkpoint_is_found_as_the_users_own(settings: Settings, shared: Path) -> None:
    settings.models_dir.mkdir(parents=True)
    shutil.copy(shared / "weights" / "realesrgan" / "realesr-animevideov3.pth", settings.models_dir)
    weights = locate(load_catalog().choose("realesr-animevideov3", scale=4).variant, settings)
    assert weights is not None
    assert (weights.kind, weights.verified) == ("pth", False)


def test_the_servers_folder_of_models_is_looked_into_behind_the_users(settings: Settings, tmp_path: Path) -> None:
    """REICHAN_MODEL_ROOT, where clients of the manga service were told to put published files."""
    served = settings.model_copy(update={"storage_dir": tmp_path / "storage"}).for_server()
    root = tmp_path / "storage" / "models"
    root.mkdir(parents=True)
    (root / "TINY.pth").write_bytes(PTH)
    weights = locate(VARIANT, served)
    assert weights is not None
    assert (weights.kind, weights.paths, weights.verified) == ("pth", (root / "TINY.pth",), True)
    assert found_at(VARIANT, served) == str(root / "TINY.pth")
    assert locate(VARIANT, settings) is None
    served.models_dir.mkdir(parents=True)
    (served.models_dir / "TINY.pth").write_bytes(PTH)
    assert found_at(VARIANT, served) == str(served.models_dir / "TINY.pth")


def test_a_model_root_that_was_set_stays(settings: Settings, tmp_path: Path) -> None:
    chosen = settings.model_copy(update={"model_root": tmp_path / "weights"}).for_server()
    assert chosen.weight_dirs == (chosen.models_dir, tmp_path / "weights")
