"""`enlarger verify`: whether an artifact is whole, and what of it is not as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.output import ExitCode, print_json, say, show
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.jobs import Verification


def verify(
    artifact: Annotated[
        Path,
        typer.Argument(
            metavar="ARTIFACT", help=str(msg("The zip or cbz that a job made, or the folder it was unpacked to."))
        ),
    ],
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="SOURCE", help=str(msg("The folder or archive it was made from: every page of it must be there."))
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=str(msg("The manifest.json that was uploaded with the pages."))),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Compare, tell, and give 1 where anything differs."""
    from enlarger.jobs import verify as compare

    found = compare(artifact, against=against, manifest=manifest)
    if as_json:
        print_json(found.as_json())
    else:
        _tell(found)
    return ExitCode.OK if found.ok else ExitCode.SOME_FAILED


def _tell(found: Verification) -> None:
    for difference in found.differences:
        show(str(difference.message))
    for name in [name for name in found.failed if name not in found.missing]:
        say(msg("{name}: the job could not enlarge this page, so it is not in the artifact.", name=name))
    show(
        str(
            msg(
                "{path}: {matched} matched, {missing} missing, {extra} extra, {mismatched} mismatched.",
                path=found.artifact,
                matched=len(found.matched),
                missing=len(found.missing),
                extra=len(found.extra),
                mismatched=len(found.mismatched),
            )
        )
    )
