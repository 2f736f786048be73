"""The manga job service's contract over our jobs: its paths, its JSON, its states, its WebSocket."""

from enlarger.server.manga.app import build

__all__ = ["build"]
