"""`enlarger upscale`: pictures, folders and archives in, the same larger out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from enlarger.cli.environment import load_settings
from enlarger.cli.inputs import expand, format_of
from enlarger.cli.output import ExitCode, print_json, print_paths, say_error
from enlarger.cli.progress import Display
from enlarger.cli.stopping import Stop, run_stoppable
from enlarger.errors import CancelledError, EnlargerError
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.cli.watch import Watch
    from enlarger.enhance import Enhancer, Errand, ErrandRunner, Recipe, Report
    from enlarger.settings import Settings

_TYPICAL_PAGE = (1400, 2000)  # pixels; which networks a --width asks for depends on the page


@dataclass(frozen=True)
class Wish:
    """What a person asked for, as typed."""

    inputs: Sequence[Path]
    out: Path | None
    model: str | None
    scale: float | None
    noise: str | None
    denoise: str | None
    width: int
    height: int
    tta: bool
    tile: int
    format: str | None
    quality: int
    lossless: bool
    device: str
    precision: Literal["auto", "exact"]


@dataclass(frozen=True)
class Run:
    """What came of it. `ending` is the error that ended the run early."""

    reports: tuple[Report, ...]
    seconds: float
    ending: EnlargerError | None = None


def upscale(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT",
            show_default=False,
            help=str(msg("Pictures, folders (the tree is kept), books: zip, rar, 7z, PDF, EPUB (a cbz comes out).")),
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help=str(msg("Where results go: a file, a folder, or a .cbz. Without it: beside the source.")),
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=str(
                msg("Model: its name, an alias or a MODEL_ name; `enlarger models list` shows them and the default.")
            ),
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help=str(
                msg("How many times larger, 1 to 32, fractions too. Without it: 2, or what a model without 2x has.")
            ),
        ),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help=str(msg("Noise reduction: none, conservative, 0, 1, 2 or 3, as far as the model has it.")),
        ),
    ] = None,
    denoise: Annotated[
        str | None,
        typer.Option(
            metavar="STRENGTH",
            help=str(msg("Noise reduction that every model understands, instead of --noise: low, medium or high.")),
        ),
    ] = None,
    width: Annotated[
        int, typer.Option(metavar="PX", help=str(msg("Fit into this width instead of a scale; 0: any.")))
    ] = 0,
    height: Annotated[
        int, typer.Option(metavar="PX", help=str(msg("Fit into this height instead of a scale; 0: any.")))
    ] = 0,
    tta: Annotated[
        bool,
        typer.Option(
            "--tta", help=str(msg("Average over the eight orientations: a little better, eight times slower."))
        ),
    ] = False,
    tile: Annotated[
        int, typer.Option(metavar="PX", help=str(msg("Side of a tile, 32 to 4096; 0: planned for the picture.")))
    ] = 0,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=str(
                msg(
                    "jpeg, png, webp, avif, heic, jxl, tiff, bmp, gif or same. Without it: as the suffix of OUT says, "
                    "else the same as the source."
                )
            ),
        ),
    ] = None,
    quality: Annotated[
        int, typer.Option(metavar="N", help=str(msg("Quality of JPEG, WebP, AVIF, HEIC and JPEG XL, 1 to 100.")))
    ] = 90,
    lossless: Annotated[
        bool, typer.Option("--lossless", help=str(msg("Lossless WebP, AVIF, HEIC or JPEG XL.")))
    ] = False,
    device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE",
            help=str(msg("auto, cpu, gpu, vulkan:0, a runtime (ncnn) or both; `enlarger devices` lists them.")),
        ),
    ] = "auto",
    precision: Annotated[
        Literal["auto", "exact"],
        typer.Option(
            metavar="exact|auto", help=str(msg("exact: 32-bit arithmetic. auto: the fastest within 50 dB of it."))
        ),
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help=str(msg("Print one JSON object with what became of every page.")))
    ] = False,
) -> ExitCode:
    """Enlarge everything named, page by page; what an earlier run finished is not computed again."""
    wish = Wish(
        inputs,
        out,
        model,
        scale,
        noise,
        denoise,
        width,
        height,
        tta,
        tile,
        format_,
        quality,
        lossless,
        device,
        precision,
    )
    display = Display()
    run, stopped_with = run_stoppable(lambda stop: (_attempt(wish, display, stop), stop.exit_code))
    return _tell(run, display, stopped_with, as_json=as_json)


def _attempt(wish: Wish, display: Display, stop: Stop) -> Run:
    try:
        return _run(wish, load_settings(), display, stop)
    except EnlargerError as error:
        return Run((), 0.0, error)


def _run(wish: Wish, settings: Settings, display: Display, stop: Stop) -> Run:
    from enlarger.cli.watch import Watch
    from enlarger.cli.weights import GraphSource
    from enlarger.enhance import Enhancer, ErrandRunner, RenderCache, plan_errands
    from enlarger.runtimes import find_devices, runtimes_for

    inputs = expand(wish.inputs)
    with Enhancer(settings, device=wish.device, prepare_graph=GraphSource(display, stop)) as enhancer:
        recipe = _recipe(enhancer, wish, inputs)
        errands = plan_errands(inputs, wish.out, recipe)
        if wish.device != "auto":  # misspelt, it fails once and not on every page
            find_devices(wish.device, runtimes_for(wish.device, settings))
        for variant in enhancer.variants(recipe, *_TYPICAL_PAGE):
            enhancer.graph(variant)  # fetched before the first page, so that what is missing is said at once
        cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
        with display.pages() as bar:
            watch = Watch(bar)
            runner = ErrandRunner(enhancer, cache, recipe, listener=watch, cancel=stop)
            return _collect(runner, errands, watch, display)


def _recipe(enhancer: Enhancer, wish: Wish, inputs: Sequence[Path]) -> Recipe:
    from enlarger.enhance import DEFAULT_MODEL, make_recipe
    from enlarger.models import parse_noise

    return make_recipe(
        enhancer.catalog,
        model=wish.model or DEFAULT_MODEL,
        scale=wish.scale,
        noise=None if wish.noise is None else parse_noise(wish.noise),
        denoise=wish.denoise,
        width=wish.width,
        height=wish.height,
        tta=wish.tta,
        format=wish.format or format_of(wish.out, inputs) or "same",
        quality=wish.quality,
        lossless=wish.lossless,
        precision=wish.precision,
        tile_px=wish.tile,
    )


def _collect(runner: ErrandRunner, errands: Sequence[Errand], watch: Watch, display: Display) -> Run:
    from enlarger.cli.reports import describe

    started_s = time.perf_counter()
    reports: list[Report] = []
    ending = None
    try:
        for report in runner.run(errands):
            reports.append(report)
            watch.settle()
            for line in describe(report):
                display.say(line)
    except EnlargerError as error:
        ending = error
        reports += watch.unfinished(errands, error)
    return Run(tuple(reports), time.perf_counter() - started_s, ending)


def _tell(run: Run, display: Display, stopped_with: ExitCode, *, as_json: bool) -> ExitCode:
    from enlarger.cli.reports import Totals, finished_files, result_json, summarise, verdict

    code = stopped_with if isinstance(run.ending, CancelledError) else verdict(run.reports, run.ending)
    totals = Totals.of((page for report in run.reports for page in report.pages), run.seconds)
    if any(report.pages for report in run.reports):
        display.say(summarise(totals))
    if isinstance(run.ending, CancelledError):
        display.say(msg("Stopped. What is finished is kept: run the same command again for the rest."))
    elif run.ending is not None:
        say_error(run.ending)
    if as_json:
        print_json(result_json(run.reports, totals, run.ending, code))
    else:
        print_paths(finished_files(run.reports))
    return code
