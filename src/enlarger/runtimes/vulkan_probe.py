"""Run in a process of its own: which Vulkan devices ncnn finds, and which of them compute a convolution right.

A driver that is broken takes its process with it. So nothing is asked of one before a child has lived through the same:
each step is told on stdout, a JSON object a line, before the next begins.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SOFTWARE = 3  # VK_PHYSICAL_DEVICE_TYPE_CPU less one, as ncnn counts: a driver that computes on the CPU
_SIDE, _FEATURES = 24, 16
_LARGEST_ERROR = {False: 1e-3, True: 5e-2}  # of values around 1, by whether fp16 is on


def main(skipped: Iterable[str]) -> None:
    """Tell what is found, then try each device whose index is not among `skipped`."""
    try:
        import ncnn

        count = ncnn.get_gpu_count()
    except (ImportError, AttributeError):  # it is not here, or was made without Vulkan
        count = 0
    _tell(found=[_device(ncnn, index) for index in range(count)])
    for index in range(count):
        if str(index) not in skipped:
            _tell(testing=index)
            memory_bytes = ncnn.get_gpu_device(index).get_heap_budget() * 1024**2
            _tell(tested=index, memory_bytes=memory_bytes, **_tested(ncnn, index))


def _tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _device(ncnn: Any, index: int) -> dict[str, object]:
    """What is known of it before its driver makes a device of it, which may be its end."""
    info = ncnn.get_gpu_info(index)
    return {"index": index, "name": info.device_name(), "software": info.type() == _SOFTWARE}


def _tested(ncnn: Any, index: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        param, weights = _network(Path(folder))
        expected = _computed(ncnn, param, weights, None, fp16=False)
        exact, halved = (_computed(ncnn, param, weights, index, fp16=fp16) for fp16 in (False, True))
    if not _is_near(exact, expected, fp16=False):
        return {"problem": "wrong"}
    # where a device has no fp16, ncnn computes in fp32 without a word
    return {"problem": "", "fp16": _is_near(halved, expected, fp16=True) and not np.array_equal(halved, exact)}


def _is_near(result: NDArray[np.float32], expected: NDArray[np.float32], *, fp16: bool) -> bool:
    same = result.shape == expected.shape
    return same and bool(np.abs(result - expected).max() < _LARGEST_ERROR[fp16])  # False for NaN


def _network(folder: Path) -> tuple[Path, Path]:
    """Two convolutions, an activation and a pixel shuffle: what networks are mostly made of."""
    rng = np.random.default_rng(0)
    param, weights = folder / "probe.param", folder / "probe.bin"
    first, second = rng.normal(0, 0.2, _FEATURES * 27), rng.normal(0, 0.1, 12 * _FEATURES * 9)
    param.write_text(
        "7767517\n4 4\nInput x 0 1 x\n"
        f"Convolution a 1 1 x a 0={_FEATURES} 1=3 4=1 5=1 6={first.size} 9=2 -23310=1,0.1\n"
        f"Convolution b 1 1 a b 0=12 1=3 5=1 6={second.size}\n"
        "PixelShuffle c 1 1 b y 0=2\n"
    )
    biases = (np.zeros(_FEATURES), np.full(12, 0.5))
    parts = zip((first, second), biases, strict=True)
    weights.write_bytes(b"".join(bytes(4) + w.astype("<f4").tobytes() + b.astype("<f4").tobytes() for w, b in parts))
    return param, weights


def _computed(ncnn: Any, param: Path, weights: Path, index: int | None, *, fp16: bool) -> NDArray[np.float32]:
    net = ncnn.Net()
    net.opt.use_vulkan_compute = index is not None
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = fp16
    if index is not None:
        net.set_vulkan_device(index)
    if net.load_param(str(param)) or net.load_model(str(weights)):
        return np.zeros(0, np.float32)
    picture = np.random.default_rng(1).random((3, _SIDE, _SIDE), np.float32)
    extractor = net.create_extractor()
    extractor.input("x", ncnn.Mat(picture).clone())
    code, result = extractor.extract("y")
    made = np.array(result, np.float32) if code == 0 else np.zeros(0, np.float32)
    del result, extractor  # before the net
    return made


if __name__ == "__main__":
    main(sys.argv[1:])
