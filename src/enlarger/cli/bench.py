"""`enlarger bench`: seconds a page per model on this machine, and which model keeps up with reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cancel import check
from enlarger.cli.environment import load_settings
from enlarger.cli.output import ExitCode, print_json, show
from enlarger.errors import WeightsMissingError
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enlarger.cancel import CancelToken
    from enlarger.cli.bench_run import Timing
    from enlarger.cli.progress import Display
    from enlarger.enhance import Enhancer
    from enlarger.models import Card

KEEPS_UP_S = 6.0  # a reader turns a page of manga every five to ten seconds
POPULAR = ("waifu2x-upconv7-anime", "waifu2x-cunet", "realesr-animevideov3", "realcugan-se")
_BUDGET_S, _QUICK_BUDGET_S = 6.0, 1.5  # for one timed run of one model; a run to warm up comes before it


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help=str(msg("Only the popular models, on a small region.")))
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default=False, help=str(msg("Measure this model; may be given repeatedly."))),
    ] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help=str(msg("As for upscale.")))] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Measure the models whose weights are here, one after the other."""
    from enlarger.cli.progress import Display
    from enlarger.cli.stopping import run_stoppable

    budget_s = _QUICK_BUDGET_S if quick else _BUDGET_S
    display = Display()
    timings = run_stoppable(lambda stop: _measure(model or (), device, budget_s, display, stop, quick=quick))
    if as_json:
        print_json(_json(timings))
    else:
        _show(timings)
    return ExitCode.OK


def _measure(
    names: Sequence[str], device: str, budget_s: float, display: Display, cancel: CancelToken, *, quick: bool
) -> list[Timing]:
    from enlarger.cli.weights import GraphSource
    from enlarger.enhance import Enhancer

    source = GraphSource(display, cancel)
    with Enhancer(load_settings(), device=device, prepare_graph=source) as enhancer:
        cards = _cards(enhancer, names, quick=quick)
        return list(_timings(enhancer, cards, device, budget_s, display, cancel))


def _cards(enhancer: Enhancer, names: Sequence[str], *, quick: bool) -> Sequence[Card]:
    from enlarger.models import Choice

    catalog = enhancer.catalog
    if names:
        found = [catalog.find(name) for name in names]
        named = (each.card if isinstance(each, Choice) else each for each in found)
        return tuple({card.name: card for card in named}.values())
    here = [card for card in catalog.cards if _is_here(enhancer, card)]
    cards = [card for card in here if card.name in POPULAR] if quick else here
    if not cards:
        raise WeightsMissingError(
            msg("No weights to measure with are on this machine."),
            msg("Run: enlarger models pull {models}", models=" ".join(POPULAR)),
        )
    return cards


def _is_here(enhancer: Enhancer, card: Card) -> bool:
    from enlarger.cli.bench_page import PAGE_PX
    from enlarger.enhance import make_recipe
    from enlarger.models import found_at

    recipe = make_recipe(enhancer.catalog, model=card.name)
    return all(found_at(variant, enhancer.settings) for variant in enhancer.variants(recipe, *PAGE_PX))


def _timings(
    enhancer: Enhancer, cards: Sequence[Card], device: str, budget_s: float, display: Display, cancel: CancelToken
) -> Iterator[Timing]:
    from enlarger.cli.bench_run import measure

    for card in cards:
        check(cancel)
        display.say(msg("Measuring {model} …", model=card.name))
        yield measure(enhancer, card, device, budget_s, cancel)


def recommended(timings: Sequence[Timing]) -> Timing:
    """The most thorough model for drawn pages that keeps up, which is the slowest such; else the fastest of all."""
    keeping_up = [each for each in timings if each.seconds_per_page <= KEEPS_UP_S]
    drawn = [each for each in keeping_up if each.purpose != "photo"]
    if drawn or keeping_up:
        return max(drawn or keeping_up, key=lambda each: each.seconds_per_page)
    return min(timings, key=lambda each: each.seconds_per_page)


def _show(timings: Sequence[Timing]) -> None:
    from rich.table import Table

    from enlarger.cli.bench_page import PAGE_PX

    headings = (
        msg("Model"), msg("Scale"), msg("Seconds a page"), msg("MP/s"), msg("Keeps up"), msg("Device"), msg("Measured")
    )  # fmt: skip
    table = Table(*(str(heading) for heading in headings), box=None, pad_edge=False)
    for each in sorted(timings, key=lambda each: each.seconds_per_page):
        table.add_row(
            each.model,
            f"{each.scale}x",
            f"{'~' if each.is_extrapolated else ''}{each.seconds_per_page:.1f}",
            f"{each.megapixels_per_s:.3f}",
            str(msg("yes") if each.seconds_per_page <= KEEPS_UP_S else msg("no")),
            f"{each.device} {each.dtype}",
            "{} x {}".format(*each.region_px),
        )
    show(table)
    width, height = PAGE_PX
    show(
        str(
            msg(
                "A page has {width} x {height} pixels; reading and writing files is not counted.",
                width=width,
                height=height,
            )
        )
    )
    if any(each.is_extrapolated for each in timings):
        show(str(msg("~: reckoned by pixels from the smaller region that was measured, so a little pessimistic.")))
    show(str(_recommendation(timings)))


def _recommendation(timings: Sequence[Timing]) -> Message:
    best = recommended(timings)
    facts = {"model": best.model, "seconds": f"{best.seconds_per_page:.1f}", "limit": f"{KEEPS_UP_S:g}"}
    if best.seconds_per_page <= KEEPS_UP_S:
        return msg(
            "Recommended: {model}, the most thorough that keeps up with reading ({seconds} s a page; "
            "a page is turned every {limit} s).",
            **facts,
        )
    return msg(
        "None keeps up with reading (a page is turned every {limit} s); {model} is the fastest, {seconds} s a page. "
        "Enlarge volumes before you read them.",
        **facts,
    )


def _json(timings: Sequence[Timing]) -> dict[str, Any]:
    from enlarger.cli.bench_page import PAGE_PX

    return {
        "page": list(PAGE_PX),
        "keepsUpSeconds": KEEPS_UP_S,
        "recommended": recommended(timings).model,
        "models": [
            {
                "name": each.model,
                "scale": each.scale,
                "secondsPerPage": round(each.seconds_per_page, 3),
                "megapixelsPerSecond": round(each.megapixels_per_s, 4),
                "keepsUp": each.seconds_per_page <= KEEPS_UP_S,
                "device": each.device,
                "dtype": each.dtype,
                "measured": list(each.region_px),
                "extrapolated": each.is_extrapolated,
            }
            for each in timings
        ],
    }
