"""Sockets to serve on, bound before anything else starts, so that a port in use is said at once."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from enlarger.errors import ServerError
from enlarger.messages import msg

_BACKLOG = 2048
_MOST_FILES = 65_536
_MOST_CONNECTIONS = 4096


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bound(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """A listening socket for each port; raises ServerError and keeps none open then."""
    family, name = _resolved(host)
    with ExitStack() as opened:
        sockets = [opened.enter_context(_listening(name, port, family)) for port in ports]
        opened.pop_all()
        return sockets


def connections_allowed() -> int:
    """How many connections may be open at once: half of the files that this process may open, after raising its limit.

    The other half is for pictures, the ledger and the worker processes.
    """
    try:
        import resource
    except ImportError:  # Windows: there is no such limit
        return _MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS has a lower limit than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(_MOST_CONNECTIONS, soft // 2))


def address(listening: socket.socket, root_path: str = "") -> str:
    """The URL that a browser on this machine takes."""
    host, port = listening.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1" if listening.family == socket.AF_INET else "::1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{root_path}"


def _resolved(host: str) -> tuple[int, str]:
    """Address family and numeric address; of several the first, IPv4 before IPv6 as clients of the originals expect."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServerError(
            msg("{host}: no address of this machine has this name.", host=host),
            msg("Give --host 127.0.0.1 for this machine alone, or 0.0.0.0 for every network."),
        ) from error
    family, _, _, _, where = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, str(where[0])


def _listening(host: str, port: int, family: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise _refused(host, port, error) from error


def _refused(host: str, port: int, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return ServerError(
            msg("Port {port} is in use by another program, perhaps by another Enlarger.", port=port),
            msg("Stop that program, or choose another port: enlarger serve --port {other}", other=port % 65535 + 1),
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ServerError(
            msg("Port {port} needs administrator rights.", port=port),
            msg("Choose one above 1023, for example: enlarger serve --port {other}", other=8001),
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ServerError(
            msg("{host} is not an address of this machine.", host=host),
            msg("Give --host 127.0.0.1 for this machine alone, or 0.0.0.0 for every network."),
        )
    return ServerError(
        msg("{host}:{port} cannot be listened on ({reason}).", host=host, port=port, reason=error.strerror or error)
    )
