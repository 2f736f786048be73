"""`enlarger serve`: the server in this process, on sockets of its own, stopped by Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.browser import open_page
from enlarger.cli.environment import load_settings
from enlarger.cli.listening import address, bound, connections_allowed, is_loopback
from enlarger.cli.output import ExitCode, say
from enlarger.cli.stopping import Stop, handled
from enlarger.errors import RecipeError, ServerError
from enlarger.messages import Message, msg

if TYPE_CHECKING:
    from socket import socket

    from enlarger.cli.serving import Served
    from enlarger.settings import Settings

APPLICATION = "enlarger.server:create_app"
DEFAULT_PORT = 8001


def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help=str(msg("Address to listen on; 0.0.0.0: every network. Any but loopback needs a token.")),
        ),
    ] = "127.0.0.1",
    ports: Annotated[
        list[int] | None,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            show_default=False,
            help=str(msg("Port, 8001 without it; may be given repeatedly. 0: a free one.")),
        ),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=str(msg("Storage root: jobs, what comes in, what comes out. Without it: the folder “storage” here.")),
        ),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PREFIX",
            help=str(
                msg("Prefix that a proxy in front serves this under: /enlarger. The proxy may take it off or leave it.")
            ),
        ),
    ] = "",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=64, help=str(msg("Worker processes; they share the cores.")))
    ] = None,
    devices: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICES",
            help=str(
                msg("Devices of the workers, separated by commas, a worker each at least: vulkan:0,openvino:cpu.")
            ),
        ),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=str(msg("A file with the token that clients must send.")))
    ] = None,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help=str(msg("Write the log as JSON, one object a line.")))
    ] = False,
    opens: Annotated[
        bool, typer.Option("--open", help=str(msg("Open the web application in the browser once it is ready.")))
    ] = False,
) -> ExitCode:
    """Serve until stopped; an orderly stop is how it is meant to end, so its exit code is 0."""
    _hand_over(storage=storage, workers=workers, devices=devices, token_file=token_file, json_logs=json_logs)
    settings = load_settings()
    _require_token(host, settings)
    sockets = bound(host, _distinct(ports or [DEFAULT_PORT]))
    try:
        return _serve(host, sockets, settings, _prefix(root_path), opens=opens)
    finally:
        for each in sockets:
            each.close()


def _distinct(ports: Sequence[int]) -> list[int]:
    return [port for n, port in enumerate(ports) if port == 0 or port not in ports[:n]]  # each 0 is another free one


def _hand_over(
    *, storage: Path | None, workers: int | None, devices: str | None, token_file: Path | None, json_logs: bool
) -> None:
    """Options become the variables that the server and its workers read."""
    given = {
        "ENLARGER_STORAGE_DIR": None if storage is None else str(storage.expanduser().absolute()),
        "ENLARGER_WORKERS": None if workers is None else str(workers),
        "ENLARGER_DEVICES": devices,
        "ENLARGER_TOKEN_FILE": None if token_file is None else str(token_file.expanduser().absolute()),
        "ENLARGER_JSON_LOGS": "1" if json_logs else None,
    }
    os.environ.update({name: value for name, value in given.items() if value is not None})
    if token_file is not None:
        os.environ.pop("ENLARGER_TOKEN", None)  # what was said last on the command line wins


def _require_token(host: str, settings: Settings) -> None:
    if settings.read_token() or is_loopback(host):
        return
    raise RecipeError(
        msg("{host} can be reached by other machines, and no token is set.", host=host),
        msg("Write one into a file (openssl rand -hex 32 > token.txt) and give --token-file, or set ENLARGER_TOKEN."),
    )


def _prefix(root_path: str) -> str:
    """As ASGI wants it: a slash before, none behind, "" for none."""
    bare = root_path.strip("/")
    return f"/{bare}" if bare else ""


def _serve(
    host: str, sockets: Sequence[socket], settings: Settings, root_path: str, *, opens: bool = False
) -> ExitCode:
    from enlarger.cli.serving import Served

    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its start and its end are told by us
    tell = _into_log if settings.json_logs else say
    addresses = [address(each, root_path) for each in sockets]

    def ready() -> None:
        for sentence in _sentences(host, addresses, settings):
            tell(sentence)
        if opens:
            open_page(f"{addresses[0]}/ui/")

    allowed = connections_allowed()
    served = Served(_application(), root_path, ready=ready, tell=tell, most_connections=allowed)
    with handled(_Stop(served)):
        served.run(list(sockets))
    return ExitCode.OK


class _Stop(Stop):
    """The first signal lets the server end in good order, the second ends the process."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._served = served

    def set(self) -> None:
        super().set()
        self._served.should_exit = True


def _application() -> Any:
    """The server's application, found by name: command and server do not know each other."""
    from importlib import import_module

    module, _, factory = APPLICATION.partition(":")
    try:
        return getattr(import_module(module), factory)()
    except (ImportError, AttributeError) as error:
        raise ServerError(
            msg("{name}: the server cannot be loaded ({reason}).", name=APPLICATION, reason=error),
            msg("Install Enlarger again; `enlarger doctor` says what is missing."),
        ) from error


def _sentences(host: str, addresses: Sequence[str], settings: Settings) -> Iterator[Message]:
    for each in addresses:
        yield msg("Enlarger serves at {address}", address=each)
    if not is_loopback(host):
        yield msg("Others reach it by this machine's name or address, with the token.")
    yield msg("Read and watch in a browser: {address}/ui/", address=addresses[0])
    yield msg("How programs talk to it: {address}/docs", address=addresses[0])
    yield msg("Storage root: {folder}", folder=settings.storage_dir.absolute())
    yield msg("Stop it with Ctrl-C: pages in hand are finished or go back, and the next start goes on with them.")


def _into_log(sentence: Message) -> None:
    """Where each line has to be JSON, also those for people are."""
    logging.getLogger("enlarger.serve").info(str(sentence))
