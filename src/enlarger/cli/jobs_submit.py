"""`enlarger jobs submit`: sources that the server can see, or files sent along, become jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from enlarger.cli.inputs import expand
from enlarger.cli.jobs import connected, watched
from enlarger.cli.jobs_options import json_option, server_option
from enlarger.cli.output import ExitCode, print_json, say, show
from enlarger.errors import InputError
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.cli.jobs_client import JobsClient
    from enlarger.cli.progress import Display


def submit(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            show_default=False,
            help=str(msg("Folders, archives and pictures, a job each; below the server's storage root, or here.")),
        ),
    ],
    title: Annotated[
        str | None, typer.Option(metavar="TITLE", help=str(msg("Title; without it the name of PATH.")))
    ] = None,
    volume: Annotated[
        str, typer.Option(metavar="VOLUME", help=str(msg("Volume, for the names of what comes out.")))
    ] = "",
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help=str(msg("Model: its name, an alias or a MODEL_ name.")))
    ] = None,
    scale: Annotated[
        float | None, typer.Option(metavar="N", help=str(msg("How many times larger, 1 to 32, fractions too.")))
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help=str(msg("Noise reduction: none, conservative, 0, 1, 2 or 3, as far as the model has it.")),
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help=str(msg("jpeg, png, webp, avif, heic, jxl, tiff, bmp, gif or same."))
        ),
    ] = None,
    quality: Annotated[
        int | None, typer.Option(metavar="N", help=str(msg("Quality of JPEG, WebP, AVIF, HEIC and JPEG XL, 1 to 100.")))
    ] = None,
    container: Annotated[
        Literal["zip", "cbz"],
        typer.Option(metavar="zip|cbz", help=str(msg("What the job's archive is: zip, or cbz for comic readers."))),
    ] = "zip",
    device: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help=str(msg("Device of the server's workers: auto, cpu, ncnn:cpu."))),
    ] = None,
    priority: Annotated[
        Literal["interactive", "volume"],
        typer.Option(
            metavar="interactive|volume",
            help=str(msg("interactive: before volumes, in between their pages. volume: in turn with other volumes.")),
        ),
    ] = "volume",
    upload: Annotated[
        bool,
        typer.Option(
            "--upload", help=str(msg("Upload the files; without this the server itself must be able to read PATH."))
        ),
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help=str(msg("Watch the jobs until their end.")))] = False,
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Submit a job for each PATH; their ids go to stdout."""
    from enlarger.cli.progress import Display

    wish = {"volume": volume, "model": model, "scale": scale, "noise": noise, "format": format_, "quality": quality}
    wish |= {"container": container, "device": device, "priority": priority}
    given = {name: value for name, value in wish.items() if value not in (None, "")}
    display, jobs = Display(), []
    with connected(server) as client:
        for path in expand(paths):
            body = {"title": title or _title(path), **given}
            if upload:
                job = _uploaded(client, path, body, display)
            else:
                job = client.submit({**body, "path": _named(client, path)})
            say(msg("{id}: {title}", id=job["id"][:8], title=body["title"]))
            jobs.append(job)
            if not as_json:
                show(job["id"])
        if watch:
            return watched(client, jobs, as_json=as_json)
    if as_json:
        print_json({"jobs": jobs})
    return ExitCode.OK


def _title(path: Path) -> str:
    whole = path.absolute()
    return whole.name if whole.is_dir() else whole.stem


def _named(client: JobsClient, path: Path) -> str:
    """The path as the server is to understand it: one that is here is made absolute where the server is here too."""
    from enlarger.cli.jobs_client import is_local

    if is_local(client.server) and path.exists():
        return str(path.absolute())
    return path.as_posix()


def _uploaded(client: JobsClient, path: Path, body: Mapping[str, Any], display: Display) -> dict[str, Any]:
    from enlarger.cli.enclosures import enclosed

    if not path.exists():
        raise InputError(
            msg("{path}: there is no such file or folder.", path=path),
            msg("Without --upload, PATH may be a path on the server."),
        )
    counted = [0]
    with display.download(msg("Sending {path}", path=path)) as advance:

        def sent(size_bytes: int) -> None:
            counted[0] += size_bytes
            advance(counted[0], total_bytes)

        files = enclosed(path, sent)
        total_bytes = sum(file.bytes for file in files)
        return client.upload({name: str(value) for name, value in body.items()}, files)
