"""Skips that cannot hide: what a test needs and does not find fails it in CI.

Not in conftest.py: several folders have one, and which of them `import conftest` finds depends on the order.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip loudly, or fail in CI, where a skip would hide an unproven promise."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and in CI a skip is a failure")
    pytest.skip(f"{what} is missing")
