"""A page opened in the person's browser, where there is one."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Mapping


def open_page(url: str) -> bool:
    """Open it beside what goes on here; False where nobody could see it."""
    if not is_seen(os.environ, sys.platform):
        return False
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()  # a browser may take its time
    return True


def is_seen(environment: Mapping[str, str], platform: str) -> bool:
    """Whether somebody sits before a screen: not in CI, not over ssh, not where there is no display."""
    if environment.get("CI") or environment.get("SSH_CONNECTION"):
        return False
    return platform in ("win32", "darwin") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
