"""What executes graphs: OpenVINO, ncnn, a fake; which is truly in use, and which is fastest here."""

from enlarger.runtimes.allowance import allowed_cores, allowed_memory_bytes
from enlarger.runtimes.calibration import MIN_PSNR_DB, Calibration, Candidate, Measurement, psnr_db
from enlarger.runtimes.device_troubles import TROUBLES
from enlarger.runtimes.devices import (
    could_be_a_device,
    device_memory_bytes,
    devices_named,
    find_devices,
    is_fake,
    known_runtimes,
    list_devices,
    runtimes_for,
)
from enlarger.runtimes.devices_apart import list_devices_apart
from enlarger.runtimes.doctor import Finding, diagnose
from enlarger.runtimes.fake import FakeRuntime, FakeSession, Misfortune
from enlarger.runtimes.hardware import cpu_features, cpu_name
from enlarger.runtimes.ncnn_runtime import NcnnRuntime
from enlarger.runtimes.opening import choose, list_calibrations, open_session, recalibrate
from enlarger.runtimes.openvino_runtime import OpenVinoRuntime
from enlarger.runtimes.proof import is_proven, prove
from enlarger.runtimes.session import (
    BF16,
    FLOAT32,
    FP16,
    FP32,
    UINT8,
    Averages,
    Device,
    Part,
    Parts,
    Runtime,
    Session,
    SessionSpec,
    Tile,
)
from enlarger.runtimes.tile_memory import tile_bytes
from enlarger.runtimes.vulkan_devices import VulkanDevice, VulkanDevices

__all__ = [
    "BF16",
    "FLOAT32",
    "FP16",
    "FP32",
    "MIN_PSNR_DB",
    "TROUBLES",
    "UINT8",
    "Averages",
    "Calibration",
    "Candidate",
    "Device",
    "FakeRuntime",
    "FakeSession",
    "Finding",
    "Measurement",
    "Misfortune",
    "NcnnRuntime",
    "OpenVinoRuntime",
    "Part",
    "Parts",
    "Runtime",
    "Session",
    "SessionSpec",
    "Tile",
    "VulkanDevice",
    "VulkanDevices",
    "allowed_cores",
    "allowed_memory_bytes",
    "choose",
    "could_be_a_device",
    "cpu_features",
    "cpu_name",
    "device_memory_bytes",
    "devices_named",
    "diagnose",
    "find_devices",
    "is_fake",
    "is_proven",
    "known_runtimes",
    "list_calibrations",
    "list_devices",
    "list_devices_apart",
    "open_session",
    "prove",
    "psnr_db",
    "recalibrate",
    "runtimes_for",
    "tile_bytes",
]
