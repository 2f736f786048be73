"""The runtimes that are here, what they can run on, and what a person means by a device's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.fake import FakeRuntime
from enlarger.runtimes.ncnn_runtime import NcnnRuntime
from enlarger.runtimes.openvino_runtime import OpenVinoRuntime
from enlarger.runtimes.session import Device, Runtime
from enlarger.runtimes.vulkan_devices import VulkanDevices
from enlarger.settings import Settings

AUTO = "auto"
_GPU = "gpu"
_WITHOUT_MEMORY = frozenset({AUTO, "cpu", "openvino", "ncnn", "openvino:cpu", "ncnn:cpu", "fake", "fake:cpu"})
_DEVICE_NAME = re.compile(r"((openvino|ncnn|fake):)?(cpu|npu|gpu|vulkan)([:.]\d+)?|auto|openvino|ncnn|fake")


def known_runtimes(settings: Settings) -> Mapping[str, Runtime]:
    """Every runtime that enlarges, installed or not, by name. The fake is not among them: it must be asked for."""
    compiled = CompiledGraphs(settings.compiled_dir)
    return {
        "openvino": OpenVinoRuntime(threads=settings.threads, compiled=compiled),
        "ncnn": NcnnRuntime(
            threads=settings.threads, vulkan=VulkanDevices(settings.data_dir) if settings.vulkan else None
        ),
    }


def runtimes_for(device: str, settings: Settings) -> Mapping[str, Runtime]:
    """`known_runtimes`, or the fake where `device` says so."""
    return {"fake": FakeRuntime()} if is_fake(device) else known_runtimes(settings)


def is_fake(device: str) -> bool:
    """Whether this names the fake, which makes no picture anybody wants and is nobody's device."""
    return device.partition(":")[0] == "fake"


def list_devices(settings: Settings) -> tuple[Device, ...]:
    """Everything that can be given as a device here."""
    return tuple(device for runtime in known_runtimes(settings).values() for device in runtime.devices())


def find_devices(name: str, runtimes: Mapping[str, Runtime]) -> Sequence[Device]:
    """The devices of these runtimes that `name` means; as `devices_named`."""
    return devices_named(name, [device for runtime in runtimes.values() for device in runtime.devices()])


def devices_named(name: str, present: Sequence[Device]) -> Sequence[Device]:
    """The devices that `name` means.

    "auto"; one device ("cpu", "vulkan:0", "openvino:cpu"); all of a sort ("gpu", "vulkan", "ncnn"). A GPU that the CPU
    plays is only meant where it, or Vulkan, is named, or where there is nothing else.
    Raises RuntimeFailedError, which names what exists.
    """
    if not present:
        raise RuntimeFailedError(
            msg("No runtime is here that could run a model."), msg("Run `enlarger doctor` to see what is missing.")
        )
    wanted = name.strip().lower()
    if exact := [device for device in present if wanted in (device.id, device.full_name)]:
        return exact
    sort = [device for device in present if wanted in (AUTO, device.runtime, device.kind, _family(device))]
    found = [device for device in sort if not device.software]
    if not found and wanted != _GPU:
        found = sort
    if not found:
        raise RuntimeFailedError(
            msg("There is no device “{device}” here.", device=name),
            msg("Choose one of: {names}.", names=", ".join(_names(present))),
        )
    return found


def device_memory_bytes(name: str, settings: Settings) -> int:
    """What the device may use of its own memory, the least of those that `name` means; 0 where that is the machine's.

    "auto" is not looked up: what it means is known once a network is opened, and may be another for each.
    """
    if name in _WITHOUT_MEMORY or not could_be_a_device(name):
        return 0
    try:
        return min(device.memory_bytes for device in find_devices(name, runtimes_for(name, settings)))
    except RuntimeFailedError:  # it is not here; what takes over is the machine's
        return 0


def could_be_a_device(name: str) -> bool:
    """Whether this is how devices are called, here or on another machine: else it is misspelt."""
    return _DEVICE_NAME.fullmatch(name.strip().lower()) is not None


def _family(device: Device) -> str:
    """ "vulkan" of "vulkan:0"."""
    return device.id.partition(":")[0]


def _names(devices: Sequence[Device]) -> list[str]:
    return [AUTO, *dict.fromkeys(device.id for device in devices), *(device.full_name for device in devices)]
