"""The server: HTTP and WebSocket in, jobs below; it translates and holds no logic of its own."""

from enlarger.server.app import create_app

__all__ = ["create_app"]
