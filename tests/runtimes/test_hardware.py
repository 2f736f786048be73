"""The processor as Linux describes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.runtimes import cpu_features, cpu_name
from enlarger.runtimes.hardware import cpu_limits

X86 = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu avx2 avx512f amx_bf16 sse\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"


def test_x86(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(X86)
    assert cpu_name(tmp_path / "cpuinfo") == "Some CPU @ 2.00GHz"
    assert cpu_features(tmp_path / "cpuinfo") == ("AVX2", "AVX-512", "AMX BF16")


def test_arm(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(ARM)
    assert cpu_name(tmp_path / "cpuinfo")  # the architecture
    assert cpu_features(tmp_path / "cpuinfo") == ("NEON", "NEON BF16")


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert cpu_name(tmp_path / "none")
    assert cpu_features(tmp_path / "none") == ()


def test_what_the_environment_holds_the_processor_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpu_limits() == ()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "avx2")
    assert cpu_limits() == ("ONEDNN_MAX_CPU_ISA=AVX2",)
