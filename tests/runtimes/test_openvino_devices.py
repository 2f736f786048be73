"""OpenVINO's GPUs and NPUs, played by its CPU: no such device was here when this was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.runtimes import BF16, FP16, FP32, UINT8, OpenVinoRuntime
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.openvino_library import core
from enlarger.runtimes.openvino_runtime import device_id, openvino_name

_CPU_CONFIG = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}


@dataclass
class FakeCore:
    """A machine with two Intel GPUs and an NPU; what is compiled for them runs on the CPU."""

    silent: tuple[str, ...] = ()  # listed, and yet without a driver
    compiled_for: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    imported_for: list[str] = field(default_factory=list)
    available_devices: tuple[str, ...] = ("NPU", "GPU.1", "GPU.0", "CPU", "MYSTERY")

    def get_property(self, device: str, name: str) -> Any:
        if device in self.silent:
            raise RuntimeError("no driver")
        capabilities = {"CPU": ["FP32", "BF16", "FP16", "INT8"], "NPU": ["FP16", "INT8"]}
        return {
            "FULL_DEVICE_NAME": f"the {device}",
            "OPTIMIZATION_CAPABILITIES": capabilities.get(device, ["FP32", "FP16", "BIN"]),
            "GPU_DEVICE_TOTAL_MEM_SIZE": 8 * 1024**3,
        }[name]

    def compile_model(self, model: Any, device: str, config: dict[str, object]) -> Any:
        self.compiled_for.append((device, config))
        return core().compile_model(model, "CPU", _CPU_CONFIG)

    def import_model(self, stored: Any, device: str, config: dict[str, object]) -> Any:
        self.imported_for.append(device)
        return core().import_model(stored, "CPU", _CPU_CONFIG)


def runtime(fake: FakeCore, compiled: CompiledGraphs | None = None) -> OpenVinoRuntime:
    return OpenVinoRuntime(core=lambda: fake, compiled=compiled)


def test_all_that_answer_are_listed_the_cpu_first() -> None:
    cpu, first, second, npu = runtime(FakeCore()).devices()
    assert [device.id for device in (cpu, first, second, npu)] == ["cpu", "gpu:0", "gpu:1", "npu"]
    assert [device.kind for device in (cpu, first, npu)] == ["cpu", "gpu", "npu"]
    assert (cpu.dtypes, first.dtypes, npu.dtypes) == ((FP32, BF16), (FP32, FP16), (FP16,))
    assert (cpu.memory_bytes, first.memory_bytes) == (0, 8 * 1024**3)
    assert second.name == "the GPU.1"


@pytest.mark.parametrize(
    ("limit", "dtypes"), [("avx2", (FP32,)), ("AVX2_VNNI", (FP32,)), ("AVX512_CORE", (FP32, BF16))]
)
def test_a_cpu_held_below_bf16_does_not_list_it(
    limit: str, dtypes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO goes on saying so, and then cannot compile it."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert runtime(FakeCore()).devices()[0].dtypes == dtypes


def test_one_without_a_driver_is_left_out() -> None:
    assert [device.id for device in runtime(FakeCore(silent=("GPU.0", "NPU"))).devices()] == ["cpu", "gpu:1"]


@pytest.mark.parametrize(
    ("device", "dtype", "hint"), [("gpu:1", FP16, "f16"), ("gpu:0", FP32, "f32"), ("npu", FP16, "f16")]
)
def test_a_session_is_compiled_for_its_device(device: str, dtype: str, hint: str, tiny_graph: TinyGraph) -> None:
    fake = FakeCore()
    session = runtime(fake).open(tiny_graph, tile=(16, 16), device=device, dtype=dtype, pixels=UINT8)
    ((name, config),) = fake.compiled_for
    assert (name, config["INFERENCE_PRECISION_HINT"]) == (openvino_name(device), hint)
    assert "INFERENCE_NUM_THREADS" not in config  # the CPU's alone
    assert (session.spec.device, session.spec.dtype) == (device, dtype)
    (result,) = session.run([np.zeros((16, 16, 3), np.uint8)])
    assert result.shape == session.spec.result


def test_what_is_kept_for_one_device_is_not_given_to_another(tiny_graph: TinyGraph, tmp_path: Path) -> None:
    fake, compiled = FakeCore(), CompiledGraphs(tmp_path / "compiled")
    for device in ("gpu:0", "gpu:1", "gpu:0"):
        runtime(fake, compiled).open(tiny_graph, tile=(16, 16), device=device, dtype=FP32, pixels=UINT8)
    assert [name for name, _ in fake.compiled_for] == ["GPU.0", "GPU.1"]
    assert fake.imported_for == ["GPU.0"]


@pytest.mark.parametrize("name", ["CPU", "GPU", "GPU.1", "NPU"])
def test_names_go_there_and_back(name: str) -> None:
    assert openvino_name(device_id(name)) == name
