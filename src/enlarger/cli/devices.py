"""`enlarger devices`: what can compute here and truly does, what `auto` means, and what a server's workers use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cancel import check
from enlarger.cli.environment import load_settings
from enlarger.cli.jobs_options import server_option
from enlarger.cli.output import ExitCode, print_json, show
from enlarger.errors import RecipeError
from enlarger.messages import msg

if TYPE_CHECKING:
    from rich.table import Table

    from enlarger.cancel import CancelToken
    from enlarger.models import Catalog, Variant
    from enlarger.runtimes import Calibration, Candidate, Device, Measurement
    from enlarger.settings import Settings


def devices(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            help=str(msg("With --calibrate: the models to measure; without any: those whose weights are here.")),
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help=str(msg("Measure which device is fastest, about three seconds a model."))),
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help=str(msg("Let every device compute a tile, and compare what they make.")))
    ] = False,
    use: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DEVICE",
            show_default=False,
            help=str(
                msg(
                    "Let the workers of a running server compute on this device from their next page on; "
                    "may be given repeatedly, a worker each."
                )
            ),
        ),
    ] = None,
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Devices with their arithmetic, and the calibrations remembered for this machine."""
    if models and not calibrate:
        raise RecipeError(msg("Models are named, but nothing is to be measured."), msg("Add --calibrate."))
    if use:
        return _use(use, server, as_json=as_json)
    settings = load_settings()
    _look_anew(settings)
    if test:
        return _test(settings, as_json=as_json)
    return _list(models or (), settings, calibrate=calibrate, as_json=as_json)


def _look_anew(settings: Settings) -> None:
    """Who asks may just have installed a driver."""
    from enlarger.runtimes import VulkanDevices

    if settings.vulkan:
        VulkanDevices(settings.data_dir).find(anew=True)


def _list(models: Sequence[str], settings: Settings, *, calibrate: bool, as_json: bool) -> ExitCode:
    from enlarger.cli.stopping import run_stoppable
    from enlarger.runtimes import list_calibrations, list_devices

    if calibrate:
        run_stoppable(lambda stop: _calibrate(models, settings, stop))
    found, calibrations = list_devices(settings), list_calibrations(settings)
    if as_json:
        print_json(
            {"devices": [_device_json(each) for each in found], "calibrations": [_json(each) for each in calibrations]}
        )
    else:
        _show(found, calibrations)
    return ExitCode.OK


def _use(devices: Sequence[str], server: str | None, *, as_json: bool) -> ExitCode:
    from enlarger.cli.jobs import connected

    with connected(server) as client:
        answer = client.use_devices(devices)
        if as_json:
            print_json(answer)
        else:
            chosen = ", ".join(answer["chosen"])
            show(str(msg("The workers of {server} use {devices} from now on.", server=client.server, devices=chosen)))
    return ExitCode.OK


def _test(settings: Settings, *, as_json: bool) -> ExitCode:
    from enlarger.runtimes import is_proven, known_runtimes, prove

    proofs = prove(known_runtimes(settings))
    if as_json:
        print_json({"tests": [{**_measurement_json(each), "passed": is_proven(each)} for each in proofs]})
    else:
        _show_tests(proofs)
    return ExitCode.OK if proofs and all(is_proven(each) or each.untried for each in proofs) else ExitCode.SOME_FAILED


def _show_tests(proofs: Sequence[Measurement]) -> None:
    from rich.table import Table

    from enlarger.runtimes import is_proven

    headings = (msg("Device"), msg("Arithmetic"), msg("MP/s"), msg("PSNR in dB"), msg("Test"))
    table = Table(*(str(heading) for heading in headings), box=None, pad_edge=False)
    for each in proofs:
        verdict = msg("passed") if is_proven(each) else msg("not measured") if each.untried else msg("failed")
        table.add_row(_device(each.candidate), each.candidate.dtype, *_figures(each), str(verdict))
    show(table)


def _calibrate(names: Sequence[str], settings: Settings, cancel: CancelToken) -> None:
    from enlarger.cli.progress import Display
    from enlarger.cli.weights import GraphSource
    from enlarger.runtimes import recalibrate

    display = Display()
    source = GraphSource(display, cancel)
    for variant in _networks(names, settings):
        check(cancel)
        display.say(msg("Measuring {model} …", model=variant.name))
        recalibrate(source(variant, settings), settings)


def _networks(names: Sequence[str], settings: Settings) -> Sequence[Variant]:
    """The networks that `upscale` begins with for these models, or for all of which it is here."""
    from enlarger.models import found_at, load_catalog

    catalog = load_catalog(settings)
    wanted = [default_network(catalog, name) for name in names or [card.name for card in catalog.cards]]
    return [each for each in dict.fromkeys(wanted) if names or found_at(each, settings)]


def default_network(catalog: Catalog, model: str) -> Variant:
    """The first network that a typical page passes through when nothing but the model is said."""
    from enlarger.cli.bench_page import PAGE_PX
    from enlarger.enhance import make_recipe, plan_passes
    from enlarger.models import Card

    recipe = make_recipe(catalog, model=model)
    card = catalog.find(recipe.model)
    assert isinstance(card, Card)  # a recipe names the card itself
    return plan_passes(card, recipe.noise, recipe.factor(*PAGE_PX))[0]


def _show(devices: Sequence[Device], calibrations: Sequence[Calibration]) -> None:
    from rich.table import Table

    found = Table(
        *(str(heading) for heading in (msg("Device"), msg("Name"), msg("Arithmetic"))), box=None, pad_edge=False
    )
    for device in devices:
        name = str(msg("{name} (played by the CPU)", name=device.name)) if device.software else device.name
        found.add_row(device.full_name, name, " ".join(device.dtypes))
    show(found)
    show("")
    if not calibrations:
        show(str(msg("Nothing is measured yet: the first use of a model measures, or --calibrate does.")))
        return
    show(_measured(calibrations))
    show(str(msg("* is what --device auto takes; --precision exact takes the fastest fp32.")))


def _measured(calibrations: Sequence[Calibration]) -> Table:
    from rich.table import Table

    headings = (msg("Network"), msg("Device"), msg("Arithmetic"), msg("MP/s"), msg("PSNR in dB"))
    table = Table(*(str(heading) for heading in headings), box=None, pad_edge=False)
    for calibration in calibrations:
        auto = _auto(calibration)
        for each in sorted(calibration.measurements, key=lambda each: -each.megapixels_per_s):
            mark = " *" if each.candidate == auto else ""
            table.add_row(calibration.network, _device(each.candidate), each.candidate.dtype + mark, *_figures(each))
    return table


def _figures(measurement: Measurement) -> tuple[str, str]:
    if measurement.problem:
        return "-", measurement.problem
    return f"{measurement.megapixels_per_s:.3f}", f"{measurement.psnr_db:.0f}"


def _auto(calibration: Calibration) -> Candidate | None:
    return calibration.fastest([each.candidate for each in calibration.measurements], exact=False)


def _device(candidate: Candidate) -> str:
    return f"{candidate.runtime}:{candidate.device}"


def _device_json(device: Device) -> dict[str, Any]:
    return {
        "device": device.full_name,
        "name": device.name,
        "kind": device.kind,
        "software": device.software,
        "dtypes": list(device.dtypes),
    }


def _json(calibration: Calibration) -> dict[str, Any]:
    auto = _auto(calibration)
    return {
        "network": calibration.network,
        "model": calibration.card,
        "auto": None if auto is None else {"device": _device(auto), "dtype": auto.dtype},
        "measurements": [_measurement_json(each) for each in calibration.measurements],
    }


def _measurement_json(each: Measurement) -> dict[str, Any]:
    return {
        "device": _device(each.candidate),
        "dtype": each.candidate.dtype,
        "megapixelsPerSecond": round(each.megapixels_per_s, 4),
        "psnrDb": round(each.psnr_db, 2),
        "problem": each.problem or None,
    }
