"""Devices: what the machine has, and which of them the workers are to use from now on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from enlarger.errors import RecipeError, RuntimeFailedError
from enlarger.runtimes import Device, list_devices_apart
from enlarger.server.threads import in_device_thread
from enlarger.server.v1.machine_routes import devices
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.wire import DeviceChoice, Devices, DeviceView, PresentDevices

router = APIRouter(prefix="/v1/devices", tags=["machine"])


@router.put("")
async def use_devices(service: Serving, language: Language, body: DeviceChoice) -> Devices:
    """Let the workers compute on these from their next page on, until the server ends; jobs that name one keep it."""
    await in_device_thread(_use, service, body.devices)
    return await devices(service, language)


@router.get("/present")
async def present_devices(
    service: Serving, anew: Annotated[bool, Query(description="Look again, for what was plugged in since.")] = False
) -> PresentDevices:
    """Everything that can be named as a device here. The first call looks for it, which takes a few seconds."""
    found = await in_device_thread(list_devices_apart, service.jobs.settings, anew=anew)
    return PresentDevices(devices=[_view(each) for each in found])


def _use(service: Service, names: list[str]) -> None:
    try:
        service.jobs.use_devices(names)
    except RuntimeFailedError as error:  # here it is the request that is wrong
        raise RecipeError(error.message, error.remedy) from error


def _view(device: Device) -> DeviceView:
    return DeviceView(
        device=device.full_name,
        name=device.name,
        kind=device.kind,
        software=device.software,
        dtypes=list(device.dtypes),
    )
