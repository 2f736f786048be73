"""What a cached page is measured against: plain Starlette on uvicorn, without a middleware, in a process of its own.

/file/<name> is a FileResponse, which knows no If-None-Match; /static/<name> is StaticFiles, which answers 304.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles


def plain(folder: Path) -> Starlette:
    """The application over the files of `folder`."""

    async def file(request: Request) -> FileResponse:
        return FileResponse(folder / request.path_params["name"])

    return Starlette(routes=[Route("/file/{name}", file), Mount("/static", StaticFiles(directory=folder))])


if __name__ == "__main__":
    uvicorn.run(plain(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False)
