"""Our own API: clean names, problem+json, numbered events."""

from enlarger.server.v1.app import build

__all__ = ["build"]
