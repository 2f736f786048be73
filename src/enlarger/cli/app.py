"""The command's tree, built when it is run, so that its help speaks the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from enlarger.cli import bench, cache, devices, doctor, jobs, jobs_submit, models, models_own, serve, upscale, verify
from enlarger.cli.click_words import join_gettext, said_again
from enlarger.cli.commands import Command, Group
from enlarger.cli.output import ExitCode, ended, prepare_streams, say, show
from enlarger.messages import Message, msg


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns its exit code."""
    prepare_streams()
    join_gettext()
    try:
        return int(build_app()(list(arguments), prog_name="enlarger", standalone_mode=False) or ExitCode.OK)
    except typer.TyperException as error:
        return _refuse(error)
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED


def build_app() -> typer.Typer:
    """The commands with their help in the language of this moment."""
    app = _group(
        msg("Enlarge manga pages and photographs on this machine. Nothing leaves it."), callback=_root, epilog=_epilog()
    )
    _add(app, "upscale", upscale.upscale, msg("Enlarge pictures, folders and archives."))
    _add(app, "devices", devices.devices, msg("List what can compute here, and what --device auto chooses."))
    _add(app, "doctor", doctor.doctor, msg("Check what is here, what is missing, and what to do about it."))
    _add(app, "bench", bench.bench, msg("Measure the seconds a page takes with each model here, and recommend one."))
    weights = _group(msg("List models, show what is known of one, fetch weights, add models of your own."))
    _add(weights, "list", models.list_models, msg("All models, and whether their weights are here."))
    _add(weights, "show", models.show_model, msg("Everything on one model's card."))
    _add(weights, "pull", models.pull, msg("Fetch weights before they are needed."))
    _add(weights, "add", models_own.add, msg("Add a model of your own from its file; nothing in the file is run."))
    _add(weights, "remove", models_own.remove, msg("Remove a model of your own, or files that were fetched."))
    app.add_typer(weights, name="models")
    renders = _group(msg("See how much disk space the cache takes, and free some."))
    _add(renders, "stats", cache.stats, msg("Files, bytes and folder of the cache."))
    _add(renders, "clean", cache.clean, msg("Drop what is kept. Results already in place are never touched."))
    app.add_typer(renders, name="cache")
    _add(app, "serve", serve.serve, msg("Run the server: jobs, the manga service, and a URL for readers."))
    _add(
        app, "verify", verify.verify, msg("Check that a job's artifact is complete, and made from the source you name.")
    )
    app.add_typer(_jobs(), name="jobs")
    return app


def _jobs() -> typer.Typer:
    group = _group(msg("Submit, watch and steer the jobs of a running server."))
    _add(group, "submit", jobs_submit.submit, msg("Hand over folders, archives and pictures."))
    _add(group, "list", jobs.list_jobs, msg("Jobs, newest first."))
    _add(group, "show", jobs.show_job, msg("One job, and the pages that failed."))
    _add(group, "watch", jobs.watch_job, msg("Watch a job until its end; also across a restart of the server."))
    _add(group, "pause", jobs.pause, msg("Begin no further pages."))
    _add(group, "resume", jobs.resume, msg("Go on after a pause."))
    _add(group, "cancel", jobs.cancel, msg("Stop within a tile; finished pages stay."))
    _add(group, "retry", jobs.retry, msg("Do the failed and cancelled pages again."))
    _add(group, "delete", jobs.delete, msg("Delete jobs with all that they made."))
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        from enlarger import __version__

        show(f"enlarger {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help=str(msg("Show the version and exit."))),
    ] = False,
) -> None:
    """What stands before every command."""


def _group(help_: Message, *, callback: Callable[..., None] | None = None, epilog: str | None = None) -> typer.Typer:
    return typer.Typer(
        cls=Group,
        help=str(help_),
        callback=callback,
        epilog=epilog,
        no_args_is_help=True,
        add_completion=False,  # its help is English only
        pretty_exceptions_enable=False,
        options_metavar=_options(),
        subcommand_metavar=str(msg("COMMAND [ARGS]...")),
    )


def _add(group: typer.Typer, name: str, command: Callable[..., ExitCode], help_: Message) -> None:
    group.command(name, cls=Command, help=str(help_), options_metavar=_options())(ended(command))


def _options() -> str:
    return str(msg("[OPTIONS]"))


def _epilog() -> str:
    sentences = (
        msg("Exit codes:"),
        msg("0: everything is done."),
        msg("1: some pages failed, verify found a difference, or doctor found that nothing can be enlarged here."),
        msg("2: the command was used wrongly."),
        msg("3: the input cannot be used at all."),
        msg("4: a model or its weights: unknown, missing, or not fetched."),
        msg("5: a runtime failed, or memory ran out."),
        msg("6: a file could not be written, because the disk is full for example."),
        msg("7: a server could not be started or reached, or a job cannot do what was asked."),
        msg(
            "130, 143: stopped by Ctrl-C or SIGTERM. What is finished is kept; run the same command again for the rest."
        ),
    )
    return "\n\n".join(map(str, sentences))


def _refuse(error: typer.TyperException) -> ExitCode:
    """Say what was wrong with the command line, in the reader's language."""
    context = getattr(error, "ctx", None)
    sentence = error.format_message().strip()
    if sentence:  # empty where the help itself was the answer
        if context is not None:
            say(context.get_usage())
        say(msg("Error: {sentence}", sentence=said_again(sentence)))
        if context is not None:
            say(msg("See: {command} --help", command=context.command_path))
    return ExitCode.USAGE
