"""What every call of the API works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from enlarger.reader import Reader, Shelf
from enlarger.server.access import Access
from enlarger.server.form_sink import UploadLimits
from enlarger.server.languages import language_of
from enlarger.server.live import LiveHub
from enlarger.server.live_room import LiveRoom

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

OWNER = "v1"


@dataclass(frozen=True)
class Service:
    """The jobs, the books and who reads them, their news and who is told; who may come in."""

    jobs: Jobs
    live: LiveHub
    access: Access
    limits: UploadLimits
    shelf: Shelf
    reader: Reader
    room: LiveRoom


async def _service(connection: HTTPConnection) -> Service:  # async: FastAPI runs plain functions in a thread
    service: Service = connection.app.state.service
    return service


async def _language(connection: HTTPConnection) -> str:
    return language_of(connection.scope)


Serving = Annotated[Service, Depends(_service)]
Language = Annotated[str, Depends(_language)]
