"""A book: its pages, how far it was read, and every page as it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from enlarger.server.threads import in_thread
from enlarger.server.v1.service import Language, Serving
from enlarger.server.v1.shelf_views import book_view
from enlarger.server.v1.shelf_wire import EXAMPLE_BOOK, BookView, ProgressRequest
from enlarger.server.v1.views import json_of

router = APIRouter(prefix="/v1/books/{book_id}", tags=["books"])

BookId = Annotated[str, Path(max_length=6000, pattern=r"^[0-9A-Za-z_-]+$", examples=[EXAMPLE_BOOK])]
PageIndex = Annotated[int, Path(ge=0, le=10_000_000, description="From 0, in reading order.", examples=[0])]


@router.get("", response_model=BookView)
async def show(service: Serving, language: Language, book_id: BookId) -> Response:
    """The book with all its pages, and what is wrong with some."""

    def shown() -> Response:
        shelf = service.shelf
        return json_of(book_view(shelf, book_id, shelf.item(book_id), shelf.index(book_id), language))

    return await in_thread(shown)


@router.put("/progress", status_code=204)
async def put_progress(service: Serving, book_id: BookId, body: ProgressRequest) -> None:
    """It was read up to here."""
    await in_thread(lambda: service.shelf.put_progress(book_id, body.page))
