"""The web application below /ui/: files of one folder, read once; every path without a suffix is its one page."""

from __future__ import annotations

import gzip
import hashlib
import html
import mimetypes
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from enlarger.server.ranges import is_current
from enlarger.server.security import CONTENT_SECURITY_POLICY
from enlarger.server.threads import in_thread

FOLDER = Path(__file__).parent / "ui"
INDEX = "index.html"
_HASHED = "assets/"  # vite's: a digest of the content is in each name
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {  # not left to the machine's own table: a browser refuses a script that is called text/plain
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_SQUEEZED = (".css", ".html", ".js", ".json", ".map", ".svg", ".webmanifest")
_POLICY = CONTENT_SECURITY_POLICY.replace("base-uri 'none'", "base-uri 'self'")  # the page is told where it lies
_ABSENT = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Enlarger</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem }
code { background: #8882; padding: .1em .3em; border-radius: .3em } :root { color-scheme: light dark }</style></head>
<body>
<h1>Enlarger</h1>
<p>The web application is not built in this installation. The server itself works:
<a href="ROOT/docs">its calls are described here</a>.</p>
<p>From the source: install Node.js 20 or newer, run <code>make web</code>, and load this page again.
A wheel from a release has it already.</p>
<div lang="zh">
<p>此安装不含网页界面，但服务器本身工作正常：<a href="ROOT/docs">接口说明</a>。</p>
<p>从源码安装时：请先安装 Node.js 20 或更新版本，运行 <code>make web</code>，然后刷新本页。
正式发布的 wheel 已包含网页界面。</p>
</div>
</body>
</html>
"""


@dataclass(frozen=True)
class Asset:
    """One file of the application. squeezed: gzip, where that is worth it."""

    data: bytes
    squeezed: bytes | None
    media_type: str
    digest: str
    hashed: bool


class Ui:
    """ASGI application over a folder that a build may replace while it is served."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._built_at = -1
        self._assets: Mapping[str, Asset] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """GET and HEAD below /ui."""
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root).removeprefix("/ui")
        if scope["method"] not in ("GET", "HEAD"):
            answer = Response(status_code=405, headers={"Allow": "GET, HEAD"})
        elif not path:
            answer = RedirectResponse(f"{quote(root)}/ui/", 307)
        else:
            answer = self._answer(await in_thread(self._current), path.removeprefix("/"), Headers(scope=scope), root)
        await answer(scope, receive, send)

    def _answer(self, assets: Mapping[str, Asset], name: str, asked: Headers, root: str) -> Response:
        if INDEX not in assets:
            return _page(_ABSENT.replace("ROOT", html.escape(quote(root))).encode(), 503)
        asset = assets.get(name)
        if asset is not None and name != INDEX:
            return _given(asset, asked)
        if PurePosixPath(name).suffix and name != INDEX:
            return Response("Not found", 404, media_type="text/plain")
        return _page(_based(assets[INDEX].data, f"{quote(root)}/ui/"), 200)

    def _current(self) -> Mapping[str, Asset]:
        """The files as the last build left them; only what lies in the folder can be asked for."""
        try:
            built_at = (self._folder / INDEX).stat().st_mtime_ns
        except OSError:
            return {}
        with self._lock:
            if built_at != self._built_at:
                self._assets, self._built_at = dict(_read(self._folder)), built_at
            return self._assets


def _read(folder: Path) -> Mapping[str, Asset]:
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return {file.relative_to(folder).as_posix(): _asset(file, folder) for file in files}


def _asset(file: Path, folder: Path) -> Asset:
    data, suffix = file.read_bytes(), file.suffix.lower()
    squeezed = gzip.compress(data, 9, mtime=0) if suffix in _SQUEEZED else None
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(
        data=data,
        squeezed=squeezed if squeezed is not None and len(squeezed) < len(data) else None,
        media_type=guessed,
        digest=hashlib.sha256(data).hexdigest(),
        hashed=file.relative_to(folder).as_posix().startswith(_HASHED),
    )


def _given(asset: Asset, asked: Headers) -> Response:
    headers = {"Cache-Control": _FOR_EVER if asset.hashed else "no-cache", "Vary": "Accept-Encoding"}
    squeezed = asset.squeezed if _takes_gzip(asked.get("accept-encoding", "")) else None
    tag = asset.digest if squeezed is None else f"{asset.digest}-gzip"
    headers["ETag"] = f'"{tag}"'
    if is_current(asked.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if squeezed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(squeezed or asset.data, media_type=asset.media_type, headers=headers)


def _page(data: bytes, status: int) -> Response:
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
    return Response(data, status, media_type="text/html", headers=headers)


def _based(page: bytes, base: str) -> bytes:
    """The page told where it lies: its paths are relative, whatever route it was asked for by."""
    tag = f'<base href="{html.escape(base)}">'.encode()
    bare = re.sub(rb"<base\b[^>]*>", b"", page, flags=re.IGNORECASE)  # the one it was developed with
    return re.sub(rb"<head\b[^>]*>", lambda found: found[0] + tag, bare, count=1, flags=re.IGNORECASE)


def _takes_gzip(header: str) -> bool:
    wishes = (wish.strip().lower().partition(";") for wish in header.split(","))
    return any(
        name.strip() in ("gzip", "*") and weight.replace(" ", "") not in ("q=0", "q=0.0") for name, _, weight in wishes
    )
