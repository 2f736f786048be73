"""POST /convert for readers that send a page and show whatever comes back (Suwayomi's image conversion)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from enlarger.errors import EnlargerError
from enlarger.messages import msg
from enlarger.server.hook.conversion import Answer, Converter, give_back
from enlarger.server.hook.memory import Memory
from enlarger.server.hook.original import MAX_BYTES, Original, read_original
from enlarger.server.hook.wishes import DEFAULT_WITHIN, read_wishes
from enlarger.server.languages import language_of
from enlarger.server.live import LiveHub
from enlarger.server.threads import in_thread

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_MOST_ORIGINALS_BYTES = 4 * MAX_BYTES
_LOG = logging.getLogger(__name__)
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

_BINARY = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["image"], "properties": {"image": _BINARY}}
            },
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The enlarged picture, or the original.",
        "content": {kind: {"schema": _BINARY} for kind in ("image/*", "application/octet-stream")},
        "headers": {
            "X-Enlarger-Result": {"schema": {"type": "string", "enum": ["enlarged", "original"]}},
            "X-Enlarger-Reason": {"schema": {"type": "string"}, "description": "Why it is the original."},
            "X-Enlarger-Cache": {"schema": {"type": "string", "enum": ["hit", "miss"]}},
        },
    },
    400: {"description": "There is no picture in the request."},
    408: {"description": "The picture did not arrive."},
    413: {"description": "The picture is too large to be kept while it is worked on."},
    503: {"description": "Too many pictures are being kept at once."},
}


def build(jobs: Jobs, live: LiveHub) -> FastAPI:
    """The application over `jobs`."""
    app = FastAPI(title="Enlarger: reader hook", docs_url=None, redoc_url=None)
    hook = Hook(Converter(jobs, live))
    app.add_api_route(
        "/convert", hook.convert, methods=["POST"], response_class=Response, responses=_ANSWER, openapi_extra=_BODY
    )
    return app


class Hook:
    """The one call. Options are plain text and read by hand: a wrong one, too, gives the original back."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._memory = Memory(_MOST_ORIGINALS_BYTES)

    async def convert(
        self,
        request: Request,
        within: Annotated[str, Query(description="How long to wait: 500ms, 2s, 9m.")] = DEFAULT_WITHIN,
        model: Annotated[str, Query(description="A model's name; empty: the default.")] = "",
        scale: Annotated[str, Query(description="Enlargement, such as 2 or 1.5; empty: the model's.")] = "",
        noise: Annotated[str, Query(description="Noise level: none, conservative, 0 to 3.")] = "",
        format: Annotated[str, Query(description="same, or jpg, png, webp, avif, heic, jxl, tiff, bmp, gif.")] = "same",  # noqa: A002 - the URL's word
        quality: Annotated[str, Query(description="Of jpg and webp, 1 to 100.")] = "90",
        max_width: Annotated[str, Query(description="The result is not wider, in pixels; empty: no limit.")] = "",
    ) -> Response:
        """A picture in, a larger one out; on any failure the original with status 200 and the reason in a header."""
        query = {"within": within, "model": model, "scale": scale, "noise": noise}
        query |= {"format": format, "quality": quality, "max_width": max_width}
        with self._memory.share() as take:
            original = await read_original(request, take)
            answer = await self._convert(original, query, language_of(request.scope))
            return _response(answer, self._converter)

    async def _convert(self, original: Original, query: dict[str, str], language: str) -> Answer:
        try:
            return await self._converter.convert(original, read_wishes(query), language)
        except EnlargerError as error:
            return await in_thread(give_back, original, error.text(language))
        except Exception:  # the reader looks at no status and keeps what it gets: never anything but a picture
            _LOG.exception("The hook failed; the original goes back.")
            return await in_thread(give_back, original, msg("An internal error; see the server's log.").text(language))


def _response(answer: Answer, converter: Converter) -> Response:
    headers = {"X-Enlarger-Result": "enlarged" if answer.enlarged else "original"}
    if answer.reason:
        headers["X-Enlarger-Reason"] = quote(answer.reason, safe=_PRINTABLE)
    if answer.enlarged:
        headers["X-Enlarger-Cache"] = "hit" if answer.cached else "miss"
    after = BackgroundTask(in_thread, converter.forget, answer.job_id) if answer.job_id else None
    return Response(answer.data, media_type=answer.media_type, headers=headers, background=after)
