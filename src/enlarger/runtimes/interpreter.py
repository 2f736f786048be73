"""The Python that runs child processes of our own."""

from __future__ import annotations

import os
import sys
from multiprocessing import spawn


def interpreter() -> str:
    """The program that takes `-m`, as multiprocessing was told of it; "" where there is none.

    A frozen program is none: it would not run the module but begin again, and so would what it starts, without end.
    """
    if getattr(sys, "frozen", False):
        return ""
    return os.fsdecode(spawn.get_executable() or "")
