"""What CPU this is and which of its instructions matter for networks, as the system tells it."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_CPU_ISA_HINTS", "DNNL_CPU_ISA_HINTS")
_BELOW_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2")  # where OpenVINO has no kernels for it
_TELLING = {  # flag in /proc/cpuinfo: name that people know, slowest first
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_bf16": "AMX BF16",
    "asimd": "NEON",
    "bf16": "NEON BF16",
    "sve": "SVE",
}


def cpu_name(cpuinfo: Path = _CPUINFO) -> str:
    """As its maker calls it; the architecture's name where the system does not tell."""
    return _field(cpuinfo, "model name") or platform.processor() or platform.machine()


def cpu_features(cpuinfo: Path = _CPUINFO) -> tuple[str, ...]:
    """Instruction sets that make networks faster; empty where the system does not tell (macOS, Windows)."""
    flags = set((_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split())
    return tuple(name for flag, name in _TELLING.items() if flag in flags)


def cpu_limits() -> tuple[str, ...]:
    """What the environment holds OpenVINO's kernels to, below what the processor has: "ONEDNN_MAX_CPU_ISA=AVX2"."""
    return tuple(f"{name}={os.environ[name].upper()}" for name in _LIMITS if os.environ.get(name))


def bf16_is_allowed() -> bool:
    """Whether the environment leaves OpenVINO's kernels what they need for bf16, as far as the processor has it."""
    most = next((os.environ[name].upper() for name in _LIMITS[:2] if os.environ.get(name)), "")
    return most not in _BELOW_BF16


def _field(cpuinfo: Path, name: str) -> str:
    with suppress(OSError):
        for line in cpuinfo.read_text(errors="replace").splitlines():
            key, _colon, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return ""
