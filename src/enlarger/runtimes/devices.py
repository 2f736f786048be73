"""The runtimes that are here, what they can run on, and what a person means by a device's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.runtimes.compiled import CompiledGraphs
from enlarger.runtimes.fake import FakeRuntime
from enlarger.runtimes.ncnn_runtime import NcnnRuntime
from enlarger.runtimes.openvino_runtime import OpenVinoRuntime
from enlarger.runtimes.session import Device, Runtime
from enlarger.settings import Settings

AUTO = "auto"


def known_runtimes(settings: Settings) -> Mapping[str, Runtime]:
    """Every runtime that enlarges, installed or not, by name. The fake is not among them: it must be asked for."""
    compiled = CompiledGraphs(settings.compiled_dir)
    return {
        "openvino": OpenVinoRuntime(threads=settings.threads, compiled=compiled),
        "ncnn": NcnnRuntime(threads=settings.threads),
    }


def runtimes_for(device: str, settings: Settings) -> Mapping[str, Runtime]:
    """`known_runtimes`, or the fake where `device` says so."""
    return {"fake": FakeRuntime()} if device.split(":")[0] == "fake" else known_runtimes(settings)


def list_devices(settings: Settings) -> tuple[Device, ...]:
    """Everything that can be given as a device here."""
    return tuple(device for runtime in known_runtimes(settings).values() for device in runtime.devices())


def find_devices(name: str, runtimes: Mapping[str, Runtime]) -> Sequence[Device]:
    """The devices that `name` means: "auto", "cpu", "openvino" or "openvino:cpu".

    Raises RuntimeFailedError, which names what exists.
    """
    present = [device for runtime in runtimes.values() for device in runtime.devices()]
    if not present:
        raise RuntimeFailedError(
            msg("No runtime is here that could run a model."), msg("Run `enlarger doctor` to see what is missing.")
        )
    wanted = name.strip().lower()
    found = [
        device for device in present if wanted in (AUTO, device.id, device.runtime, f"{device.runtime}:{device.id}")
    ]
    if not found:
        raise RuntimeFailedError(
            msg("There is no device “{device}” here.", device=name),
            msg("Choose one of: {names}.", names=", ".join(_names(present))),
        )
    return found


def _names(devices: Sequence[Device]) -> list[str]:
    full = [f"{device.runtime}:{device.id}" for device in devices]
    return [AUTO, *dict.fromkeys(device.id for device in devices), *full]
