"""What the doctor finds, and which remedy it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.runtimes import FakeRuntime, diagnose
from enlarger.runtimes.calibration_store import FILE_NAME
from enlarger.settings import Settings


class AbsentRuntime(FakeRuntime):
    """Like a package that is not installed, or cannot be loaded."""

    def devices(self):
        return ()


def told(settings: Settings, *runtimes: FakeRuntime) -> str:
    found = diagnose(settings, runtimes={runtime.name: runtime for runtime in runtimes} or None)
    return "\n".join(f"{f.status}: {f.what} {f.remedy or ''}" for f in found)


def test_a_sound_machine(settings: Settings) -> None:
    text = told(settings)
    assert "ok: openvino" in text
    assert "ok: ncnn" in text
    assert "missing" not in text
    assert not settings.data_dir.exists()  # looking changes nothing


def test_a_runtime_that_is_not_installed(settings: Settings) -> None:
    text = told(settings, AbsentRuntime(name="openvino", version=""))
    assert "missing: openvino is not installed. Install it: pip install openvino" in text


def test_a_runtime_that_cannot_be_loaded(settings: Settings) -> None:
    assert "missing: ncnn 1.0 is installed but cannot be loaded." in told(
        settings, AbsentRuntime(name="ncnn", version="1.0")
    )


def test_a_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    text = told(settings.model_copy(update={"cache_dir": tmp_path / "file" / "cache"}))
    assert f"missing: {tmp_path / 'file' / 'cache'}: cannot be written" in text
    assert "ENLARGER_CACHE_DIR" in text


def test_a_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.runtimes.doctor._MIN_FREE_BYTES", 2**62)
    assert f"warning: {settings.data_dir}" in told(settings)


def test_little_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.runtimes.doctor._MIN_MEMORY_BYTES", 2**62)
    assert "Give the container at least 2 GB" in told(settings)


def test_more_threads_than_cores(settings: Settings) -> None:
    assert "warning: 9999 threads are asked for" in told(settings.model_copy(update={"threads": 9999}))


def test_what_was_measured(settings: Settings) -> None:
    assert "Nothing is measured yet" in told(settings)
    settings.data_dir.mkdir()
    (settings.data_dir / FILE_NAME).write_bytes(b"broken")
    assert "Nothing is measured yet" in told(settings)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "warning: Vulkan is not used: its driver crashed."),
        (
            '{"found": [{"index": 0, "name": "a card", "software": false}]}\n{"testing": 0}\n',
            "vulkan:0 (a card) is not",
        ),
    ],
)
def test_a_driver_that_takes_its_process_down(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    answers = iter([(said, "crashed"), ("", "")])
    monkeypatch.setattr("enlarger.runtimes.vulkan_devices.run_child", lambda _skipped: next(answers))
    text = told(settings.model_copy(update={"vulkan": True}), FakeRuntime())
    assert expected in text
    assert "its driver crashed. Update the driver; ENLARGER_VULKAN=0 keeps Enlarger from looking." in text
