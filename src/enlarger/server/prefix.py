"""A prefix in front of every path, whether the proxy that adds it takes it off again or not."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class AnyPrefix:
    """ASGI middleware. A server with a root path puts it before every path; a path that had it has it twice then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        if root and f"{scope.get('path', '')}/".startswith(f"{root}{root}/"):
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {**scope, "path": scope["path"].removeprefix(root), "raw_path": raw.removeprefix(root.encode())}
        await self._app(scope, receive, send)
