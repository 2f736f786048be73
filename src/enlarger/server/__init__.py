"""The server: HTTP and WebSocket in, jobs below; it translates and holds no logic of its own."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enlarger.server.app import create_app
else:

    def __getattr__(name: str) -> object:
        """The application when it is asked for: workers set up their log from this room, and need no HTTP for it."""
        if name != "create_app":
            raise AttributeError(name)
        from enlarger.server.app import create_app

        return create_app


__all__ = ["create_app"]
