"""Run networks in fp32 on engines that know nothing of each other, and compare what they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def textured(height: int, width: int) -> Plane:
    """A picture with gradients, hatching, hard edges and a little noise; (3, height, width) in 0..1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    grey = 0.5 + 0.3 * np.sin(x / 3 + y / 5) * np.cos(y / 4) + 0.2 * ((x + 2 * y) % 7 < 2) - 0.25 * (x > width // 2)
    tint = np.array([1.0, 0.9, 0.8], np.float32)[:, None, None] * grey
    noise = np.random.default_rng(3).normal(0, 0.02, (3, height, width))
    return np.clip(tint + noise, 0, 1).astype(np.float32)


def psnr(made: Plane, expected: Plane) -> float:
    """In dB, over values of 0..1 that are not clipped; shapes must agree."""
    assert made.shape == expected.shape
    error = float(np.mean((made.astype(np.float64) - expected) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def run_ncnn(param: Path, weights: Path, plane: Plane) -> Plane:
    """ncnn's own result, on the CPU in fp32."""
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    assert net.load_param(str(param)) == 0
    assert net.load_model(str(weights)) == 0
    extractor = net.create_extractor()
    given = ncnn.Mat(np.ascontiguousarray(plane)).clone()  # ncnn crashes where a layer works in borrowed memory
    extractor.input(net.input_names()[0], given)
    status, result = extractor.extract(net.output_names()[0])
    assert status == 0
    made = np.array(result)
    del result, extractor, given  # before the net: ncnn crashes otherwise
    return made


def run_openvino(onnx: bytes, plane: Plane) -> Plane:
    """OpenVINO's result, on the CPU in fp32."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(onnx)
    assert [port.any_name for port in (*model.inputs, *model.outputs)] == ["x", "y"]
    return np.array(core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(plane[None])[0][0])


def run_onnxruntime(onnx: bytes, plane: Plane) -> Plane:
    """ONNX Runtime's result."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    return np.array(session.run(["y"], {"x": plane[None]})[0][0])
