"""`enlarger cache`: what finished renders and what lies beside them take on the disk, and making room."""

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
    from enlarger.enhance import RenderCache, beside_renders

    settings = load_settings()
    held, beside = RenderCache(settings.renders_dir, settings.cache_max_bytes).stats(), beside_renders(settings)
    if as_json:
        files, total_bytes = held.total_files + beside.total_files, held.total_bytes + beside.total_bytes
        print_json({"totalFiles": files, "totalSize": total_bytes, "cacheDir": str(settings.cache_dir)})
        return ExitCode.OK
    limit = format_bytes(settings.cache_max_bytes)
    show(str(msg("Folder: {folder}", folder=settings.cache_dir)))
    show(str(msg("Renders: {count}", count=held.total_files)))
    show(str(msg("Size: {size} of at most {limit}", size=format_bytes(held.total_bytes), limit=limit)))
    size = format_bytes(beside.total_bytes)
    show(
        str(
            msg(
                "Journals, archives in the making or unpacked, compiled graphs: {count}; {size}",
                count=beside.total_files,
                size=size,
            )
        )
    )
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
    """Drop renders and what lies beside them; results already placed are never touched."""
    if not (everything or older_than or max_size):
        raise RecipeError(msg("Nothing was said about what to drop."), msg("Give --older-than, --max-size or --all."))
    from enlarger.enhance import RenderCache, beside_renders, sweep_beside_renders

    settings = load_settings()
    cache = RenderCache(settings.renders_dir, settings.cache_max_bytes)
    before_bytes = cache.stats().total_bytes + beside_renders(settings).total_bytes
    # -inf: also what is dated in the future, by a clock that was wrong
    unused_for_s = -inf if everything else parse_span_s(older_than) if older_than else inf
    max_bytes = inf if max_size is None else parse_size_bytes(max_size)
    removed = cache.clean(unused_for_s=unused_for_s, max_bytes=max_bytes)
    removed += sweep_beside_renders(settings, unused_for_s=unused_for_s)
    freed_bytes = before_bytes - cache.stats().total_bytes - beside_renders(settings).total_bytes
    if as_json:
        print_json({"removedFiles": removed, "freedSize": freed_bytes, "cacheDir": str(settings.cache_dir)})
    else:
        say(msg("Files dropped: {count}; freed: {size}.", count=removed, size=format_bytes(freed_bytes)))
    return ExitCode.OK
