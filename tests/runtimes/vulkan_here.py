"""ncnn with the Vulkan devices of this machine; Mesa's llvmpipe stands in for a GPU."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from enlarger.runtimes import NcnnRuntime, VulkanDevice, VulkanDevices
from loud_skips import missing


@cache
def vulkan_devices() -> VulkanDevices:
    """Looked for once: that takes a process."""
    return VulkanDevices(Path(tempfile.mkdtemp(prefix="enlarger-vulkan-")))


def vulkan_runtime() -> NcnnRuntime:
    """With at least one device that works; without, the test is skipped loudly."""
    if not usable():
        missing("a Vulkan device (packages mesa-vulkan-drivers and libvulkan1)")
    return NcnnRuntime(vulkan=vulkan_devices())


def usable() -> tuple[VulkanDevice, ...]:
    """Those that passed the probe."""
    return tuple(device for device in vulkan_devices().find() if not device.problem)
