"""A book: its pages, how far it was read, and every page as it is, and small."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from enlarger.errors import BookError, EnlargerError, PictureError
from enlarger.reader import PageRef, Shelf, is_shown_by_browsers, media_type_of
from enlarger.server.ranges import bytes_response, is_current, unchanged
from enlarger.server.threads import in_book_thread, in_small_thread, in_thread
from enlarger.server.v1.service import Language, Serving
from enlarger.server.v1.shelf_views import book_view
from enlarger.server.v1.shelf_wire import EXAMPLE_BOOK, BookView, ProgressRequest
from enlarger.server.v1.views import json_of

router = APIRouter(prefix="/v1/books/{book_id}", tags=["books"])

SHOWN_AS = "X-Shown-As"
_COVER_TRIES = 3
_A_DAY = "private, max-age=86400"

BookId = Annotated[str, Path(max_length=6000, pattern=r"^[0-9A-Za-z_-]+$", examples=[EXAMPLE_BOOK])]
PageIndex = Annotated[int, Path(ge=0, le=10_000_000, description="From 0, in reading order.", examples=[0])]
Width = Annotated[int, Query(ge=1, le=960, description="Pixels; it may come somewhat larger.")]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TAGGED = {"ETag": {"schema": {"type": "string"}, "description": "Another one when the page is."}}
_NOTED = {
    SHOWN_AS: {
        "schema": {"type": "string"},
        "description": "Of a page that browsers do not show as it is: what it was made into. Absent: as it is.",
    }
}


def _files(*media_types: str, **headers: Any) -> dict[int | str, dict[str, Any]]:
    content = dict.fromkeys(media_types, _BINARY)
    return {
        200: {"description": "The picture.", "content": content, "headers": {**_TAGGED, **headers}},
        206: {"description": "A range of it.", "content": content, "headers": {**_TAGGED, **headers}},
        304: {"description": "The client has it already.", "headers": _TAGGED},
    }


_ORIGINAL = _files("image/*", "application/octet-stream", **_NOTED)
_SMALL = _files("image/webp")


@router.get("", response_model=BookView)
async def show(service: Serving, language: Language, book_id: BookId) -> Response:
    """The book with all its pages, and what is wrong with some."""

    def shown() -> Response:
        shelf = service.shelf
        return json_of(book_view(shelf, book_id, shelf.item(book_id), shelf.index(book_id), language))

    return await in_book_thread(shown)


@router.put("/progress", status_code=204)
async def put_progress(service: Serving, book_id: BookId, body: ProgressRequest) -> None:
    """It was read up to here."""
    await in_thread(lambda: service.shelf.put_progress(book_id, body.page))


@router.api_route("/pages/{index}", methods=["HEAD"], include_in_schema=False)
@router.get("/pages/{index}", response_class=Response, responses=_ORIGINAL)
async def page(service: Serving, request: Request, book_id: BookId, index: PageIndex) -> Response:
    """The page as its file is, whole or by range. What no browser shows, such as TIFF, is made into WebP."""
    return await in_book_thread(_original, service.shelf, book_id, index, request)


@router.api_route("/pages/{index}/thumbnail", methods=["HEAD"], include_in_schema=False)
@router.get("/pages/{index}/thumbnail", response_class=Response, responses=_SMALL)
async def thumbnail(
    service: Serving, request: Request, book_id: BookId, index: PageIndex, width: Width = 240
) -> Response:
    """The page, small, as WebP."""
    return await in_small_thread(lambda: _small(service.shelf, service.shelf.page(book_id, index), width, request))


@router.api_route("/cover", methods=["HEAD"], include_in_schema=False)
@router.get("/cover", response_class=Response, responses=_SMALL)
async def cover(
    service: Serving,
    request: Request,
    book_id: BookId,
    width: Width = 320,
    v: Annotated[str, Query(max_length=40, description="Whatever makes the address another one.")] = "",  # noqa: ARG001
) -> Response:
    """The first page that can be shown, small, as WebP."""
    return await in_small_thread(_cover, service.shelf, book_id, width, request)


def _original(shelf: Shelf, book_id: str, index: int, request: Request) -> Response:
    found = shelf.page(book_id, index)
    if _is_known(request, found.tag):
        return unchanged(found.tag)
    data = shelf.read(found)
    media_type = media_type_of(data)
    if is_shown_by_browsers(media_type):
        return bytes_response(request, data, tag=found.tag, media_type=media_type)
    with suppress(PictureError):  # then as it is: some browsers show more than others
        data = shelf.shown(found)
        media_type = media_type_of(data)
        return bytes_response(request, data, tag=found.tag, media_type=media_type, headers={SHOWN_AS: media_type})
    return bytes_response(request, data, tag=found.tag, media_type=media_type)


def _small(shelf: Shelf, found: PageRef, width: int, request: Request) -> Response:
    tag = shelf.thumbnail_tag(found, width)
    kept = {"Cache-Control": _A_DAY}
    if _is_known(request, tag):
        return unchanged(tag, kept)
    return bytes_response(request, shelf.thumbnail(found, width), tag=tag, media_type="image/webp", headers=kept)


def _cover(shelf: Shelf, book_id: str, width: int, request: Request) -> Response:
    """Of the first page; where it is broken, of one of the next. Raises what is wrong with the first."""
    wrong: EnlargerError | None = None
    for index in range(_COVER_TRIES):
        try:
            return _small(shelf, shelf.cover(book_id, index), width, request)
        except (PictureError, BookError) as error:
            wrong = wrong or error
    assert wrong is not None
    raise wrong


def _is_known(request: Request, tag: str) -> bool:
    return is_current(request.headers.get("if-none-match", ""), tag)
