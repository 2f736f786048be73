"""A running server as the command sees it: requests, and problem+json told as errors with a remedy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from enlarger import errors
from enlarger.errors import CancelledError, EnlargerError, InputError, RecipeError, ServerError, UnknownJobError
from enlarger.messages import Message, current_language, msg

if TYPE_CHECKING:
    import httpx

    from enlarger.cli.enclosures import Enclosure

DEFAULT_SERVER = "http://127.0.0.1:8001"
_CONNECT_S = 5.0
_ANSWER_S = 60.0
_AGAIN_S = 1.0
_ID_LENGTH = 36  # a UUID with its dashes


class ToldError(ServerError):
    """What a server refused, in its own words and with its own code."""

    def __init__(self, code: str, message: Message, remedy: Message | None = None) -> None:
        super().__init__(message, remedy)
        self.code = code  # type: ignore[misc]  # one that only the server knows


@dataclass(frozen=True)
class Event:
    """One message of a job's stream; `number` is None for what is not kept, such as the share of a page."""

    number: int | None
    data: Mapping[str, Any]


class JobsClient:
    """Calls of `/v1` on one server; raises ServerError when it is not there, and what it refuses as an error."""

    def __init__(self, server: str, token: str) -> None:
        import httpx

        self.server = server.rstrip("/")
        headers = {"Accept-Language": current_language()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            headers=headers, timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S), trust_env=not is_local(self.server)
        )

    def __enter__(self) -> JobsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A job over a source that the server can see. May be sent again: its key makes it one job."""
        return self._ask("POST", "/v1/jobs", again=True, json=dict(body), headers={"Idempotency-Key": str(uuid4())})

    def upload(self, fields: Mapping[str, str], files: Sequence[Enclosure]) -> dict[str, Any]:
        """A job over files that are sent along, by their names in the job."""
        parts = [("files", (file.name, file)) for file in files]
        return self._ask("POST", "/v1/jobs", data=dict(fields), files=parts, headers={"Idempotency-Key": str(uuid4())})

    def get(self, job_id: str) -> dict[str, Any]:
        """One job."""
        return self._ask("GET", f"/v1/jobs/{job_id}")

    def pages(self, job_id: str, state: str) -> Iterator[dict[str, Any]]:
        """The job's pages in one state."""
        yield from self._items(f"/v1/jobs/{job_id}/pages", {"state": state})

    def find(self, *, states: Sequence[str] = (), text: str = "") -> Iterator[dict[str, Any]]:
        """Jobs, newest first, as many as are taken."""
        yield from self._items("/v1/jobs", {"state": list(states), "text": text})

    def move(self, job_id: str, verb: str) -> dict[str, Any]:
        """The job after pause, resume, cancel or retry."""
        return self._ask("POST", f"/v1/jobs/{job_id}/{verb}")

    def use_devices(self, devices: Sequence[str]) -> dict[str, Any]:
        """Let the server's workers compute on these: them, and what was chosen."""
        return self._ask("PUT", "/v1/devices", json={"devices": list(devices)})

    def delete(self, job_id: str) -> None:
        """The job and all that it made are gone."""
        self._ask("DELETE", f"/v1/jobs/{job_id}")

    def whole_id(self, text: str) -> str:
        """The id that begins with `text`; raises UnknownJobError for none, InputError for several."""
        wanted = text.strip().lower()
        if len(wanted) >= _ID_LENGTH:
            return wanted
        found = [job["id"] for job in self.find() if job["id"].startswith(wanted)] if wanted else []
        if not found:
            raise UnknownJobError(
                msg("{id}: there is no such job.", id=text), msg("`enlarger jobs list` shows all jobs.")
            )
        if len(found) > 1:
            raise InputError(
                msg("The IDs of {count} jobs begin with “{id}”.", id=text, count=len(found)),
                msg("Give more of the ID."),
            )
        return str(found[0])

    @contextmanager
    def stream(self, job_id: str, after: int) -> Iterator[Iterator[Event]]:
        """The job's events from number `after` + 1 on, as they come; ends when the server ends it."""
        import httpx
        from httpx_sse import connect_sse

        url = f"{self.server}/v1/jobs/{job_id}/events"
        with self._reached(), ExitStack() as opened:
            source = opened.enter_context(
                connect_sse(
                    self._http,
                    "GET",
                    url,
                    headers={"Last-Event-ID": str(after)},
                    timeout=httpx.Timeout(None, connect=_CONNECT_S),
                )
            )
            if source.response.is_error:
                source.response.read()
                raise refusal(source.response)
            if source.response.status_code == HTTPStatus.NO_CONTENT:  # the job has ended, and all of it is known
                yield iter(())
                return
            # the number is the data's own: an SSE client carries the last id on to messages that have none
            told = (each.json() for each in source.iter_sse() if each.data)
            yield (Event(data.get("number"), data) for data in told)

    def _items(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        wanted = {name: value for name, value in query.items() if value}
        cursor = ""
        while True:
            page = self._ask("GET", path, params={**wanted, **({"after": cursor} if cursor else {})})
            yield from page["items"]
            cursor = page.get("next") or ""
            if not cursor:
                return

    def _ask(self, method: str, path: str, *, again: bool = False, **options: Any) -> dict[str, Any]:
        import httpx

        with self._reached():
            try:
                answer = self._http.request(method, self.server + path, **options)
            except httpx.ConnectError:
                raise
            except httpx.TransportError:
                if not again:
                    raise
                time.sleep(_AGAIN_S)
                answer = self._http.request(method, self.server + path, **options)
        if answer.is_error:
            raise refusal(answer)
        return _object(answer) if answer.content else {}

    @contextmanager
    def _reached(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.ConnectError as error:
            raise ServerError(
                msg("No server answers at {server}.", server=self.server),
                msg("Start it with `enlarger serve`, or name another one with --server or ENLARGER_SERVER."),
            ) from error
        except (httpx.TransportError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ServerError(
                msg(
                    "{server}: the connection failed ({reason}).",
                    server=self.server,
                    reason=error or type(error).__name__,
                ),
                msg("Look whether the server still runs, and try again."),
            ) from error


def refusal(answer: httpx.Response) -> EnlargerError:
    """An answer that is an error, as the kind of error its code says; the sentences are the server's."""
    try:
        problem = _object(answer)
    except ServerError as error:
        return error
    sentence, remedy = problem.get("detail") or problem.get("title") or answer.reason_phrase, problem.get("remedy")
    code, told = str(problem.get("code") or "server"), [_quoted(each) for each in (sentence, remedy) if each]
    kind = _kinds().get(code)
    return ToldError(code, *told) if kind is None else kind(*told)


def is_local(server: str) -> bool:
    """Whether the server's address is this machine, so that its paths are this machine's."""
    from urllib.parse import urlsplit

    from enlarger.cli.listening import is_loopback

    return is_loopback(urlsplit(server).hostname or "")


def server_url(given: str | None) -> str:
    """What was given, else ENLARGER_SERVER, else the default port on this machine; raises RecipeError."""
    from urllib.parse import urlsplit

    named = given or os.environ.get("ENLARGER_SERVER") or DEFAULT_SERVER
    url = named if "://" in named else f"http://{named}"
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    except ValueError:
        pass  # a bracket that is not closed, a port that is no number
    raise RecipeError(
        msg("“{url}” is not an address of a server.", url=named), msg("Write it like {url}.", url=DEFAULT_SERVER)
    )


def _kinds() -> dict[str, type[EnlargerError]]:
    """Errors by their code. Without "cancelled": that is what this command says when it is stopped itself."""
    return {
        kind.code: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, EnlargerError) and not issubclass(kind, CancelledError)
    }


def _quoted(sentence: object) -> Message:
    return Message("{sentence}", {"sentence": str(sentence)})  # said already in the language that was asked for


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    raise ServerError(
        msg("{url}: this is not an Enlarger server ({status}).", url=answer.url, status=answer.status_code),
        msg("Check --server and ENLARGER_SERVER: the address is the one that `enlarger serve` says."),
    )
