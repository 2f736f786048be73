"""Builds the web application into the package: a build hook of hatchling, and a command (`python hatch_build.py`).

Where npm is missing, what was built before is taken; without that the wheel has no web application, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a command, outside a build
    BuildHookInterface = object

ROOT = Path(__file__).parent
_WITHOUT_NPM = (
    "The web application is not built: npm is missing. Everything else works; /ui/ says how to build it. "
    "Install Node.js 20 or newer and build again. "
    "未找到 npm，因此没有构建网页界面；其余功能不受影响。安装 Node.js 20 或更新版本后重新构建即可。"
)


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]
    """What hatchling calls before it makes a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Build, but for editable installs: there `make web` does."""
        if version != "editable":
            build(Path(self.root), self.app.display_warning)


def build(root: Path, warn: Callable[[str], object]) -> bool:
    """`npm ci` and `npm run build`, where something changed since the last time; whether there is a build now."""
    page = root / "src" / "enlarger" / "server" / "ui" / "index.html"
    web = root / "web"
    if not web.is_dir() or _is_fresh(page, web):
        return page.is_file()
    npm = shutil.which("npm")
    if npm is None:
        if not page.is_file():
            warn(_WITHOUT_NPM)
        return page.is_file()
    for arguments in (("ci",), ("run", "build")):
        subprocess.run([npm, *arguments], cwd=web, check=True)
    return True


def _is_fresh(page: Path, web: Path) -> bool:
    try:
        built_at = page.stat().st_mtime
    except OSError:
        return False
    return all(file.stat().st_mtime <= built_at for file in _sources(web))


def _sources(web: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(web):
        folders[:] = [name for name in folders if name != "node_modules"]
        yield from (Path(folder) / name for name in files)


if __name__ == "__main__":
    sys.exit(not build(ROOT, lambda text: print(text, file=sys.stderr)))  # noqa: T201 - a command
