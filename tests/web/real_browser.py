"""A page of the real application in Debian's Chromium, and what a test asks it again and again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, expect

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
)
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
PATIENCE_S = 60.0
_STILL_S = 0.3
_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_PICTURES = ROOT / "docs" / "images"
expect.set_options(timeout=PATIENCE_S * 1000)  # no promise of ours: the machine may be busy with other things


@dataclass
class Window:
    """One page of the application. Errors of its scripts fail the test at its end."""

    page: Page
    base: str
    output: Path
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._console)

    def go(self, path: str) -> None:
        """Open a path below /ui/."""
        self.page.goto(f"{self.base}/ui{path}")

    def look(self, name: str, *, keep: bool = False) -> None:
        """A screenshot in the test's output folder; `keep`: ENLARGER_SCREENSHOTS=1 puts it into docs/images too."""
        self.output.mkdir(parents=True, exist_ok=True)
        taken = self.page.screenshot(path=self.output / f"{name}.png")
        if keep and os.environ.get("ENLARGER_SCREENSHOTS"):
            _PICTURES.mkdir(parents=True, exist_ok=True)
            with Image.open(BytesIO(taken)) as picture:
                picture.convert("RGB").save(_PICTURES / f"{name}.webp", quality=80, method=6)

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def until(self, expression: str) -> None:
        """Wait for a JavaScript expression to hold."""
        self.page.wait_for_function(f"() => {expression}", timeout=PATIENCE_S * 1000)

    def until_so(self, holds: Callable[[], object], what: object = "it never came to be so") -> None:
        """Wait for what only Python can ask, while the page goes on."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, what
            self.page.wait_for_timeout(50)

    def stays_so(self, holds: Callable[[], object], moment_s: float = 0.5) -> None:
        """It is so, and is so for a moment: what is on its way late would be noticed."""
        end = time.monotonic() + moment_s
        while time.monotonic() < end:
            assert holds(), "it did not stay so"
            self.page.wait_for_timeout(50)

    def at_rest(self, expression: str) -> Any:
        """The value of a JavaScript expression once it has not changed for a moment."""
        value, since, end = self.evaluate(expression), time.monotonic(), time.monotonic() + PATIENCE_S
        while (now := time.monotonic()) < since + _STILL_S:
            assert now < end, f"{expression} never came to rest"
            self.page.wait_for_timeout(50)
            if (latest := self.evaluate(expression)) != value:
                value, since = latest, time.monotonic()
        return value

    def axe(self, *, allowed: tuple[str, ...] = ()) -> list[str]:
        """What axe finds wrong, one line a rule and element."""
        self.page.evaluate(_AXE.read_text("utf-8"))  # not add_script_tag: the page's own policy would refuse it
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for each in found
            if each["id"] not in allowed
            for node in each["nodes"]
        ]

    def settled(self) -> None:
        """Wait until nothing moves: axe sees half-faded colours as they are."""
        self.page.wait_for_function("() => document.getAnimations().every((each) => each.playState !== 'running')")

    def theme(self) -> str:
        return str(self.evaluate("document.documentElement.dataset.theme"))

    def _console(self, message: ConsoleMessage) -> None:
        gone = re.search(r"Failed to load resource|WebSocket connection", message.text)  # told by the application
        if message.type == "error" and not gone:
            self.problems.append(message.text)


NewWindow = Callable[..., Window]
__all__ = ["DESKTOP", "FLAGS", "PATIENCE_S", "PHONE", "ROOT", "NewWindow", "Window", "expect"]
