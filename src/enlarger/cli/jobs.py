"""`enlarger jobs`: submit, watch and steer the jobs of a running server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.environment import load_settings
from enlarger.cli.jobs_options import json_option, one_id, server_option, several_ids
from enlarger.cli.output import ExitCode, print_json, say, show
from enlarger.errors import InputError
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.cli.jobs_client import JobsClient


@contextmanager
def connected(server: str | None) -> Iterator[JobsClient]:
    """The server that was named; nothing is sent yet."""
    from enlarger.cli.jobs_client import JobsClient, server_url

    with JobsClient(server_url(server), load_settings().read_token()) as client:
        yield client


def list_jobs(
    states: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            show_default=False,
            help=str(
                msg(
                    "Only jobs in this state: queued, running, paused, packing, done, partial, failed, cancelled; "
                    "may be given repeatedly."
                )
            ),
        ),
    ] = None,
    text: Annotated[str, typer.Option(metavar="TEXT", help=str(msg("Only jobs with this in title or volume.")))] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, help=str(msg("At most so many, the newest first.")))] = 50,
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Jobs, newest first."""
    from enlarger.cli.jobs_pictured import table

    with connected(server) as client:
        jobs = list(islice(client.find(states=states or (), text=text), limit))
    if as_json:
        print_json({"jobs": jobs})
    elif jobs:
        show(table(jobs))
    else:
        say(msg("There are no such jobs."))
    return ExitCode.OK


def show_job(
    job_id: Annotated[str, one_id()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """One job, and what became of the pages that failed."""
    from enlarger.cli.jobs_pictured import described

    with connected(server) as client:
        job = client.get(client.whole_id(job_id))
        failed = list(client.pages(job["id"], "failed")) if job["counts"]["failed"] else []
    if as_json:
        print_json({**job, "failedPages": failed})
    else:
        for line in described(job, failed):
            show(line)
    return ExitCode.OK


def watch_job(
    job_id: Annotated[str, one_id()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Watch a job until its end; the job goes on when the watching stops."""
    with connected(server) as client:
        return watched(client, [client.get(client.whole_id(job_id))], as_json=as_json)


def watched(client: JobsClient, jobs: Sequence[Mapping[str, Any]], *, as_json: bool) -> ExitCode:
    """Watch jobs, one after the other; 1 when one of them is not whole at its end."""
    from enlarger.cli.jobs_pictured import ending
    from enlarger.cli.jobs_watch import watch
    from enlarger.cli.progress import Display

    display, ended = Display(), []
    try:
        for job in jobs:
            ended.append(watch(client, job, display))
            say(ending(ended[-1]))
    except KeyboardInterrupt:
        say(msg("No longer watching; the job goes on. Again: enlarger jobs watch {id}", id=jobs[len(ended)]["id"][:8]))
        return ExitCode.INTERRUPTED
    if as_json:
        print_json({"jobs": ended})
    return ExitCode.OK if all(job["state"] == "done" for job in ended) else ExitCode.SOME_FAILED


def _each(server: str | None, ids: Sequence[str], act: Callable[[JobsClient, str], Any], *, as_json: bool) -> ExitCode:
    """Do it for every job; what is refused for one is said, and the others still get their turn."""
    from enlarger.cli.output import error_json, exit_code, say_error
    from enlarger.errors import JobError

    done: list[Any] = []
    refused: dict[str, JobError | InputError] = {}
    with connected(server) as client:
        for each in dict.fromkeys(ids):
            try:
                done.append(act(client, client.whole_id(each)))
            except (JobError, InputError) as error:
                refused[each] = error
                say_error(error)
    if as_json:
        print_json({"jobs": done, "errors": {each: error_json(error) for each, error in refused.items()}})
    return exit_code(next(iter(refused.values()))) if refused else ExitCode.OK


def _move(verb: str) -> Callable[[JobsClient, str], Any]:
    from enlarger.cli.jobs_watch import state_word

    def move(client: JobsClient, job_id: str) -> Any:
        job = client.move(job_id, verb)
        say(msg("{id}: {state}", id=job["id"][:8], state=state_word(job["state"])))
        return job

    return move


def pause(
    ids: Annotated[list[str], several_ids()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """No further pages begin."""
    return _each(server, ids, _move("pause"), as_json=as_json)


def resume(
    ids: Annotated[list[str], several_ids()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Go on after a pause."""
    return _each(server, ids, _move("resume"), as_json=as_json)


def cancel(
    ids: Annotated[list[str], several_ids()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Stop within a tile; finished pages stay."""
    return _each(server, ids, _move("cancel"), as_json=as_json)


def retry(
    ids: Annotated[list[str], several_ids()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """Failed and cancelled pages again."""
    return _each(server, ids, _move("retry"), as_json=as_json)


def delete(
    ids: Annotated[list[str], several_ids()],
    server: Annotated[str | None, server_option()] = None,
    as_json: Annotated[bool, json_option()] = False,
) -> ExitCode:
    """The job, its pages, archive and uploads."""

    def remove(client: JobsClient, job_id: str) -> str:
        client.delete(job_id)
        say(msg("{id}: deleted", id=job_id[:8]))
        return job_id

    return _each(server, ids, remove, as_json=as_json)
