"""Print the server's OpenAPI, from a server that is made for it and never started: `python -m scripts.openapi`."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from enlarger.server import create_app
from enlarger.settings import Settings


async def schema(folder: Path) -> dict[str, Any]:
    """What GET /openapi.json answers."""
    settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache", storage_dir=folder / "storage")
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = (await client.get("/openapi.json")).raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


def main() -> None:
    """Print it, in an order that does not change."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(schema(Path(folder))), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
