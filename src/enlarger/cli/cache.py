"""`enlarger cache`: what finished renders take on the disk, and making room."""

from __future__ import annotations

from math import inf
from typing import Annotated

import typer

from enlarger.cli.amounts import format_bytes, parse_size_bytes, parse_span_s
from enlarger.cli.environment import load_settings
from enlarger.cli.output import ExitCode, print_json, say, show
from enlarger.errors import RecipeError
from enlarger.messages import msg


def stats(
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Files, bytes and folder."""
    from enlarger.enhance import RenderCache

    settings = load_settings()
    held = RenderCache(settings.renders_dir, settings.cache_max_bytes).stats()
    if as_json:
        print_json({"totalFiles": held.total_files, "totalSize": held.total_bytes, "cacheDir": str(held.folder)})
        return ExitCode.OK
    limit = format_bytes(settings.cache_max_bytes)
    show(str(msg("Folder: {folder}", folder=held.folder)))
    show(str(msg("Renders: {count}", count=held.total_files)))
    show(str(msg("Size: {size} of at most {limit}", size=format_bytes(held.total_bytes), limit=limit)))
    return ExitCode.OK


def clean(
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help=str(msg("Drop what was not used for so long: 30d, 12h.")))
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help=str(msg("Drop the longest unused until the rest is no larger: 5GB."))),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=str(msg("Drop everything.")))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=str(msg("Print one JSON object.")))] = False,
) -> ExitCode:
    """Drop renders; results already placed are never touched."""
    if not (everything or older_than or max_size):
        raise RecipeError(msg("Nothing was said about what to drop."), msg("Give --older-than, --max-size or --all."))
    from enlarger.enhance import RenderCache

    settings = load_settings()
    cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
    before = cache.stats()
    unused_for_s = 0.0 if everything else parse_span_s(older_than) if older_than else inf
    max_bytes = inf if max_size is None else parse_size_bytes(max_size)
    removed = cache.clean(unused_for_s=unused_for_s, max_bytes=max_bytes)
    freed_bytes = before.total_bytes - cache.stats().total_bytes
    if as_json:
        print_json({"removedFiles": removed, "freedSize": freed_bytes, "cacheDir": str(before.folder)})
    else:
        say(msg("Renders dropped: {count}; freed: {size}.", count=removed, size=format_bytes(freed_bytes)))
    return ExitCode.OK
