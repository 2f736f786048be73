"""`enlarger doctor`: what is here, what is missing, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.environment import load_settings
from enlarger.cli.output import ExitCode, print_json, show
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from enlarger.cli.weights import Presence
    from enlarger.runtimes import Finding


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Look at everything Enlarger needs; 0 when it can enlarge here, else 1."""
    from enlarger.cli.weights import Presence
    from enlarger.models import load_catalog
    from enlarger.runtimes import diagnose, known_runtimes

    settings = load_settings()
    findings = diagnose(settings)
    weights = {card.name: Presence.of(card, settings) for card in load_catalog(settings).cards}
    runtimes = [bool(runtime.devices()) for runtime in known_runtimes(settings).values()]
    usable = any(runtimes) and _missing(findings) == runtimes.count(False)  # one runtime is enough; folders are needed
    if as_json:
        print_json(_json(findings, weights, usable=usable))
    else:
        _show(findings, weights, usable=usable)
    return ExitCode.OK if usable else ExitCode.SOME_FAILED


def _missing(findings: Sequence[Finding]) -> int:
    return sum(finding.status == "missing" for finding in findings)


def _json(findings: Sequence[Finding], weights: Mapping[str, Presence], *, usable: bool) -> dict[str, Any]:
    return {
        "usable": usable,
        "findings": [
            {"status": each.status, "what": str(each.what), "remedy": None if each.remedy is None else str(each.remedy)}
            for each in findings
        ],
        "weights": {name: {"here": found.here, "all": found.all} for name, found in weights.items()},
    }


def _show(findings: Sequence[Finding], weights: Mapping[str, Presence], *, usable: bool) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        table.add_row(str(_word(finding.status)), str(finding.what))
        if finding.remedy is not None:
            table.add_row("", str(finding.remedy))
    for name, found in weights.items():
        status = msg("ok") if found.here else msg("absent")
        table.add_row(str(status), str(msg("Weights of {model}: {presence}.", model=name, presence=found.sentence())))
    show(table)
    if not all(found.complete for found in weights.values()):
        show(str(msg("Weights that are not here are fetched on first use, or by `enlarger models pull`.")))
    show(str(msg("Enlarger can be used here.") if usable else msg("Enlarger cannot be used here.")))


def _word(status: str) -> Message:
    return {"ok": msg("ok"), "warning": msg("warning"), "missing": msg("missing")}[status]
