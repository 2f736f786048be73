"""The reader hook: a picture in, a larger one out, and never anything worse than the original."""

from enlarger.server.hook.app import build

__all__ = ["build"]
