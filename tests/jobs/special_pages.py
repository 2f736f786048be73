"""A worker's Enhancer for which a page's width says what becomes of it: it dies, waits at a gate, finds no room."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from enlarger.cancel import CancelToken, check
from enlarger.enhance import Enhancer, Enlarged, Recipe
from enlarger.errors import DiskFullError, WeightsMissingError
from enlarger.messages import msg
from enlarger.models import Graph, Variant
from enlarger.pictures import Picture
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings

DEADLY_PX = 31
NO_ROOM_PX = 32  # until there is a file called "room" in the folder
NO_WEIGHTS_PX = 33
UNFORESEEN_PX = 34
GATED_PX = 90  # and wider: waits in every tile until there is a file called like its width


class SpecialEnhancer(Enhancer):
    """`folder` holds the gates, and "begun" and "computed": a line with the width for each page that was."""

    folder: Path

    def enlarge(
        self, picture: Picture, recipe: Recipe, *, progress: Any = None, cancel: CancelToken | None = None
    ) -> Enlarged:
        width = picture.pixels.shape[1]
        self._note("begun", width)
        self._suffer(width)

        def at_gate(share: float) -> None:
            while not (self.folder / str(width)).exists():
                check(cancel)
                progress(share)  # a page that is more urgent starts in here
                time.sleep(0.01)
            progress(share)

        progress_or_wait = at_gate if width >= GATED_PX else progress
        enlarged = super().enlarge(picture, recipe, progress=progress_or_wait, cancel=cancel)
        self._note("computed", width)
        return enlarged

    def _note(self, what: str, width: int) -> None:
        with (self.folder / what).open("a") as file:
            file.write(f"{width}\n")

    def _suffer(self, width: int) -> None:
        if width == DEADLY_PX:
            os._exit(78)
        if width == NO_ROOM_PX and not (self.folder / "room").exists():
            raise DiskFullError(msg("{path}: the disk is full.", path=self.folder))
        if width == NO_WEIGHTS_PX:
            raise WeightsMissingError(msg("Stopped on request."))
        if width == UNFORESEEN_PX:
            raise KeyError(width)


def make_enhancer(settings: Settings, *, graph: str, folder: str) -> Enhancer:
    """What a worker process calls."""

    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(Path(graph), f"digest of {variant.name}", variant, None)

    enhancer = SpecialEnhancer(settings, runtimes={"fake": FakeRuntime()}, prepare_graph=prepare)
    enhancer.folder = Path(folder)
    return enhancer
