"""Which version of a runtime's library is installed, without importing it."""

from __future__ import annotations

from importlib import metadata


def library_version(distribution: str) -> str:
    """Of the installed package, or ""."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
