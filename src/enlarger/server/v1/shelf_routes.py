"""The shelf: where books are looked for, what is there, what was read last."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from enlarger.messages import msg
from enlarger.reader import Arrived, Shelf
from enlarger.server.refusals import BadRequestError
from enlarger.server.threads import in_thread
from enlarger.server.uploads import Upload, receive_form
from enlarger.server.v1.service import Serving
from enlarger.server.v1.shelf_views import item_views, root_view
from enlarger.server.v1.shelf_wire import EXAMPLE_ROOT, Items, ItemView, RootRequest, RootView, ShelfView
from enlarger.server.v1.views import json_of
from enlarger.server.v1.wire import Listed
from enlarger.storage import drop_tree

router = APIRouter(prefix="/v1/shelf", tags=["shelf"])

_ROOT = r"^[0-9a-z]{1,20}$"
_BOOK = r"^[0-9A-Za-z_-]*$"
RootId = Annotated[str, InPath(pattern=_ROOT, examples=[EXAMPLE_ROOT])]
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "title": "ShelfUpload",
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Pictures and archives; their names may hold folders.",
                        }
                    },
                    "required": ["files"],
                }
            }
        },
    }
}


@router.get("")
async def roots(service: Serving) -> ShelfView:
    """The folders that books are looked for in: the server's own first, then those added."""
    return await in_thread(lambda: ShelfView(roots=[root_view(root) for root in service.shelf.roots()]))


@router.post("/roots", status_code=201)
async def add_root(service: Serving, body: RootRequest) -> RootView:
    """Put a folder or an archive of the server's machine on the shelf, for good. Adding it twice changes nothing."""
    return await in_thread(lambda: root_view(service.shelf.add_root(body.path)))


@router.delete("/roots/{root_id}", status_code=204)
async def remove_root(
    service: Serving, root_id: Annotated[str, InPath(pattern=_ROOT, examples=[EXAMPLE_ROOT])]
) -> None:
    """Take it off the shelf; its files stay. Those that the server's settings name stay too: 422."""
    await in_thread(lambda: service.shelf.remove_root(root_id))


@router.get("/items", response_model=Listed[ItemView])
async def items(
    service: Serving,
    root: Annotated[str, Query(max_length=20, pattern=r"^[0-9a-z]*$", description="Without it the first one.")] = "",
    group: Annotated[
        str, Query(max_length=6000, pattern=_BOOK, description="The id of a group; then `root` does not matter.")
    ] = "",
    q: Annotated[
        str, Query(max_length=200, description="Only those below, at any depth, whose title has all these words.")
    ] = "",
    after: Annotated[str, Query(max_length=6000, pattern=_BOOK, description="`next` of the list before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Groups and books of a folder, in natural order. Where pictures lie directly in it, it comes first, as a book."""

    def listed() -> Response:
        shelf = service.shelf
        found, cursor = shelf.items(root, group, query=q, after=after, limit=limit)
        return json_of(Listed[ItemView](items=item_views(shelf, found), next=cursor))

    return await in_thread(listed)


@router.get("/recent", response_model=Items)
async def recent(service: Serving, limit: Annotated[int, Query(ge=1, le=100)] = 12) -> Response:
    """The books read last, newest first."""

    def listed() -> Response:
        shelf = service.shelf
        return json_of(Items(items=item_views(shelf, shelf.recent(limit))))

    return await in_thread(listed)


@router.post("/uploads", status_code=201, openapi_extra=_FORM)
async def upload(service: Serving, request: Request) -> Items:
    """Pictures, folders of them and archives into the shelf's folder "incoming".

    A part's filename may name folders (`webkitRelativePath`). Nothing is ever written over: a name that is taken gets a
    number, and files that lie there already, byte for byte, are left alone, so that an upload may be sent again.
    """
    shelf = service.shelf
    folder = await in_thread(shelf.begin_upload)
    try:
        received = await receive_form(request, folder, service.limits)
        return await in_thread(_taken_in, shelf, folder, received)
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(drop_tree, folder)


def _taken_in(shelf: Shelf, folder: Path, received: Upload) -> Items:
    if not received.files:
        raise BadRequestError(
            msg("There is no file in the form."), msg("Send pictures or archives as file parts of the form.")
        )
    files = [Arrived(file.name, file.path, file.sha256) for file in received.files]
    return Items(items=item_views(shelf, shelf.take_in(folder, files)))
