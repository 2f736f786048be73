"""A server's threads give way to its event loop."""

from __future__ import annotations

import os
import subprocess
import sys

_CODE = """
import asyncio, sys
from enlarger.server import create_app
from enlarger.settings import Settings

async def lived(app):
    async with app.router.lifespan_context(app):
        return sys.getswitchinterval()

usual = sys.getswitchinterval()
print(asyncio.run(lived(create_app(Settings()))) == usual)  # somebody else's process stays as it is
print(asyncio.run(lived(create_app())) < usual / 4)
"""


def test_only_in_a_process_of_its_own(tmp_path: object) -> None:
    folders = {name: f"{tmp_path}/{name}" for name in ("storage", "data", "cache")}
    environment = {f"ENLARGER_{name.upper()}_DIR": folder for name, folder in folders.items()}
    done = subprocess.run(
        [sys.executable, "-c", _CODE],
        env={**os.environ, **environment, "ENLARGER_MIN_FREE_BYTES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
