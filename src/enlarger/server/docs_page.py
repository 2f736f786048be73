"""/docs: the API and the facades shown by Swagger UI from a package on this machine; no other host is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, Router

_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Enlarger</title>
<link rel="stylesheet" href="{root}/docs/files/swagger-ui.css">
<link rel="icon" href="{root}/docs/files/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui" data-root="{root}"></div>
<script src="{root}/docs/files/swagger-ui-bundle.js"></script>
<script src="{root}/docs/files/swagger-ui-standalone-preset.js"></script>
<script src="{root}/docs/start.js"></script>
</body>
</html>
"""
_START = """const place = document.getElementById("swagger-ui");
const { root } = place.dataset;
SwaggerUIBundle({
  urls: [
    { name: "Enlarger: /v1", url: `${root}/openapi.json` },
    { name: "Manga job service", url: `${root}/openapi/manga.json` },
    { name: "Reader hook", url: `${root}/openapi/hook.json` },
  ],
  layout: "StandaloneLayout",
  domNode: place,
  validatorUrl: null,
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
});
"""


def docs_routes() -> Router:
    """/docs, its script and its files."""
    from swagger_ui_bundle import swagger_ui_path  # type: ignore[import-untyped]

    return Router(
        [
            Route("/docs", _page),
            Route("/docs/start.js", _start),
            *(Route(f"/docs/files/{name}", _file(Path(swagger_ui_path) / name, kind)) for name, kind in _FILES.items()),
        ]
    )


def _file(path: Path, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def give(_: Request) -> Response:
        return FileResponse(path, media_type=media_type, headers={"Cache-Control": "max-age=86400"})

    return give


async def _page(request: Request) -> Response:
    root = request.scope.get("root_path", "").replace('"', "")
    return Response(_PAGE.format(root=root), media_type="text/html")


async def _start(_: Request) -> Response:
    return Response(_START, media_type="text/javascript")
