"""`enlarger models add` and `remove`: models of one's own, and files that are not needed any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.environment import load_settings
from enlarger.cli.output import ExitCode, print_json, say, show
from enlarger.messages import msg


def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=str(
                msg("A .pth, .safetensors, .npz, .onnx or waifu2x .json file; or a .param with its .bin beside it.")
            ),
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=str(msg("The model's name; else the file's. A model that waits for its file takes it by its name.")),
        ),
    ] = "",
    scale: Annotated[
        int | None,
        typer.Option(
            metavar="1|2",
            min=1,
            max=2,
            help=str(msg("For waifu2x networks that keep size: 2 if trained to enlarge, 1 if to take noise out.")),
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Recognise the file, keep a copy, and tell what was recognised."""
    from enlarger.cli.cards import card_json, describe
    from enlarger.cli.weights import Presence
    from enlarger.models import add_model

    settings = load_settings()
    card = add_model(file, settings, name=name, scale=scale)
    presence = Presence.of(card, settings)
    if as_json:
        print_json(card_json(card, presence))
        return ExitCode.OK
    for line in describe(card, presence):
        show(line)
    if file.suffix.lower() in {".onnx", ".param", ".bin"} and card.own:
        say(msg("The file does not tell its colours: taken as red, green, blue from 0 to 1."))
    return ExitCode.OK


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help=str(msg("A model's name, an alias or a MODEL_ name.")))],
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Delete what Enlarger keeps of the model, and tell what that was."""
    from enlarger.models import remove_model

    removed = [str(path) for path in remove_model(name, load_settings())]
    if as_json:
        print_json({"removed": removed})
        return ExitCode.OK
    for path in removed:
        show(path)
    return ExitCode.OK
