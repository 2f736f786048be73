"""What is here, what is missing and what to do about it; a small network of our own is run, and no model."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from enlarger.messages import Message, msg
from enlarger.runtimes.allowance import allowed_cores, allowed_memory_bytes
from enlarger.runtimes.devices import known_runtimes
from enlarger.runtimes.hardware import cpu_features, cpu_name
from enlarger.runtimes.opening import calibration_store
from enlarger.runtimes.proof import is_proven, prove
from enlarger.runtimes.session import Runtime
from enlarger.runtimes.vulkan_devices import VulkanDevice, VulkanDevices, explained
from enlarger.settings import Settings

Status = Literal["ok", "warning", "missing"]
_GIB = 1024**3
_MIN_MEMORY_BYTES = 2 * _GIB  # one tile of 256, one page of a scan, and the interpreter
_MIN_FREE_BYTES = _GIB


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    status: Status
    what: Message
    remedy: Message | None = None


def diagnose(settings: Settings, *, runtimes: Mapping[str, Runtime] | None = None) -> tuple[Finding, ...]:
    """Everything that Enlarger needs of this machine; never raises, and leaves nothing behind."""
    known = runtimes if runtimes is not None else known_runtimes(settings)
    return (
        Finding("ok", msg("Python {version}.", version=platform.python_version())),
        *map(_runtime, known.values()),
        *_left_out(settings),
        *_proofs(known),
        _processor(),
        _cores(settings),
        _memory(),
        *_folders(settings),
        _calibration(settings, known),
    )


def _runtime(runtime: Runtime) -> Finding:
    name, version = runtime.name, runtime.version
    if not version:
        return Finding(
            "missing",
            msg("{runtime} is not installed.", runtime=name),
            msg("Install it: pip install {runtime}", runtime=name),
        )
    devices = runtime.devices()
    if not devices:
        return Finding(
            "missing",
            msg("{runtime} {version} is installed but cannot be loaded.", runtime=name, version=version),
            msg("Install it again: pip install --force-reinstall {runtime}", runtime=name),
        )
    found = ", ".join(f"{device.runtime}:{device.id} ({', '.join(device.dtypes)})" for device in devices)
    return Finding("ok", msg("{runtime} {version}: {devices}.", runtime=name, version=version, devices=found))


def _left_out(settings: Settings) -> Iterator[Finding]:
    """Vulkan devices that failed in the process that looks at them; it is asked anew."""
    if not settings.vulkan:
        return
    look = VulkanDevices(settings.data_dir).look(anew=True)
    failed = [_not_used(each) for each in look.devices if each.problem]
    if look.problem:
        failed.append(msg("Vulkan is not used: {reason}.", reason=explained(look.problem)))
    for what in failed:
        yield Finding("warning", what, msg("Update the driver; ENLARGER_VULKAN=0 keeps Enlarger from looking."))


def _not_used(device: VulkanDevice) -> Message:
    return msg(
        "vulkan:{number} ({name}) is not used: {reason}.",
        number=device.index,
        name=device.name,
        reason=explained(device.problem),
    )


def _proofs(runtimes: Mapping[str, Runtime]) -> Iterator[Finding]:
    """What every device made of a tile."""
    for each in prove(runtimes):
        where = {"device": f"{each.candidate.runtime}:{each.candidate.device}", "dtype": each.candidate.dtype}
        if is_proven(each):
            yield Finding("ok", msg("{device} computes in {dtype}.", **where))
        elif not each.untried:
            reason = each.problem or msg("it computes something else than the others")
            yield Finding(
                "warning",
                msg("{device} does not compute in {dtype}: {reason}", **where, reason=reason),
                msg("Update its driver, or choose another device with --device."),
            )


def _processor() -> Finding:
    name, features = cpu_name(), cpu_features()
    if not features:
        return Finding("ok", msg("Processor: {name}.", name=name))
    what = msg("Processor: {name} ({features}).", name=name, features=", ".join(features))
    return Finding("ok", what)


def _cores(settings: Settings) -> Finding:
    cores, threads = allowed_cores(), settings.threads
    if threads > cores:
        return Finding(
            "warning",
            msg("{threads} threads are asked for, but only {cores} cores may be used.", threads=threads, cores=cores),
            msg("Leave ENLARGER_THREADS unset, or set it to {cores}.", cores=cores),
        )
    return Finding("ok", msg("{threads} of {cores} cores are used.", threads=threads or cores, cores=cores))


def _memory() -> Finding:
    memory_bytes = allowed_memory_bytes()
    what = msg("{gigabytes} GB of memory may be used.", gigabytes=round(memory_bytes / _GIB, 1))
    if memory_bytes < _MIN_MEMORY_BYTES:
        return Finding("warning", what, msg("Give the container at least 2 GB, or expect small tiles."))
    return Finding("ok", what)


def _folders(settings: Settings) -> Iterator[Finding]:
    yield _folder(settings.data_dir, "ENLARGER_DATA_DIR")
    yield _folder(settings.cache_dir, "ENLARGER_CACHE_DIR")


def _folder(folder: Path, variable: str) -> Finding:
    remedy = msg("Change its permissions, or name another folder in {variable}.", variable=variable)
    existing = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=existing):
            free_bytes = shutil.disk_usage(existing).free
    except OSError as error:
        reason = error.strerror or str(error)
        return Finding("missing", msg("{path}: cannot be written ({reason}).", path=folder, reason=reason), remedy)
    what = msg("{path}: {gigabytes} GB free.", path=folder, gigabytes=round(free_bytes / _GIB, 1))
    if free_bytes < _MIN_FREE_BYTES:
        return Finding("warning", what, msg("Make room, or name another folder in {variable}.", variable=variable))
    return Finding("ok", what)


def _calibration(settings: Settings, runtimes: Mapping[str, Runtime]) -> Finding:
    networks = calibration_store(settings, runtimes).all()
    if not networks:
        return Finding("ok", msg("Nothing is measured yet: the first use of a model takes about three seconds for it."))
    return Finding("ok", msg("Measured on this machine: {networks}.", networks=", ".join(sorted(networks))))
