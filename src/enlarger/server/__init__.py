"""The server: HTTP and WebSocket in, jobs below; it translates and holds no logic of its own."""
