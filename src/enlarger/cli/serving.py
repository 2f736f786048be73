"""uvicorn as `enlarger serve` needs it: says when it is ready, leaves signals to the command, brings errors home."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from socket import socket
from typing import Any

from uvicorn import Config, Server

from enlarger.cli.prompt_requests import PromptRequests
from enlarger.errors import EnlargerError
from enlarger.messages import Message, msg

_MOST_MESSAGE_BYTES = 64 * 1024  # clients of sockets say little
_GRACE_S = 10  # for answers on their way; the pages in hand have their own


class Served(Server):
    """One application on sockets that are listening already. `should_exit` ends it in good order.

    With `most_connections` open, whoever else asks is answered 503.
    """

    def __init__(
        self,
        application: Any,
        root_path: str,
        *,
        ready: Callable[[], None],
        tell: Callable[[Message], None],
        most_connections: int | None = None,
    ) -> None:
        self._startup = _Startup(application)
        self._application = application
        self._ready, self._tell = ready, tell
        super().__init__(
            Config(
                self._startup,
                http=PromptRequests,
                lifespan="on",
                root_path=root_path,
                log_config=None,  # the application says how its log looks
                access_log=False,
                server_header=False,
                limit_concurrency=most_connections,
                ws_max_size=_MOST_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # small messages to many clients: it would cost more than it saves
                timeout_graceful_shutdown=_GRACE_S,
            )
        )

    def run(self, sockets: list[socket] | None = None) -> None:
        """Serve until `should_exit`; raises the EnlargerError that kept the application from starting."""
        with suppress(SystemExit):  # uvicorn's answer to an application that does not start
            super().run(sockets)
        if self._startup.error is not None:
            raise self._startup.error

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Tell that it is ready, once it is."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Tell that it ends; those who only listen are sent home first, or their connections would keep it open."""
        self._tell(msg("Stopping: pages in hand are finished or go back. Ctrl-C once more ends at once."))
        end_watches = getattr(getattr(self._application, "state", None), "end_watches", None)
        if end_watches is not None:
            end_watches()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not uvicorn's, which would end the process by the signal itself."""
        yield


class _Startup:
    """The application, remembering the error that its start-up raised instead of printing its traceback."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.error: EnlargerError | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return

        async def without_traceback(message: MutableMapping[str, Any]) -> None:
            failed = message["type"] == "lifespan.startup.failed"
            await send({"type": message["type"]} if failed else message)

        try:
            await self._application(scope, receive, without_traceback)
        except EnlargerError as error:
            self.error = error
