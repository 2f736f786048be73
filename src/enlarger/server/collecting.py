"""Garbage collection that holds nobody up: what the start leaves behind is never looked through again."""

from __future__ import annotations

import gc


def set_aside_what_stays() -> None:
    """Called once, when everything is loaded and nothing is asked yet.

    Modules, schemas and catalogues are some hundred thousand objects that live as long as the process. A full
    collection that walks them stops the event loop for a twentieth of a second and more, under load every few seconds.
    """
    gc.collect()
    gc.freeze()
