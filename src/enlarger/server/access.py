"""Who may come in: by which name the server is called, from which page, and with which token."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

from enlarger.server.sessions import COOKIE, Sessions
from enlarger.settings import Settings

TAURI = ("tauri://localhost", "http://tauri.localhost", "https://tauri.localhost")
_REMEMBERED = 1024  # names and addresses: the same few come with every request
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True)
class Access:
    """The rules, as the settings give them. token: "" where none is asked for."""

    token: str
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    sessions: Sessions

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Raises InputError when the token's file cannot be read."""
        return cls(settings.read_token().strip(), settings.host_names, (*TAURI, *settings.origins), Sessions())

    @property
    def any_origin(self) -> bool:
        """Whether pages of every origin may call."""
        return "*" in self.origins

    def is_token(self, text: str) -> bool:
        """Whether it is the token; takes the same time whatever is wrong with it."""
        return bool(self.token) and hmac.compare_digest(text.encode(), self.token.encode())

    def knows(self, scope: Scope) -> bool:
        """Whether the request carries the token, or a session's cookie."""
        scheme, _, credentials = header_of(scope, b"authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(credentials.strip())
        return self.sessions.is_open(_cookie(scope, COOKIE))

    def is_local(self, scope: Scope) -> bool:
        """Whether both ends of the connection are this machine's loopback, or a socket in its file system."""
        server, client = scope.get("server"), scope.get("client")
        if server is None:
            return False
        return server[1] is None or (is_loopback(server[0]) and client is not None and is_loopback(client[0]))

    def is_called_rightly(self, scope: Scope) -> bool:
        """Whether Host is a name of this server: a page on another name that resolves to it is turned away.

        An address is always right: rebinding needs a name, and a container does not know its host's addresses.
        """
        name = host_name(header_of(scope, b"host"))
        return "*" in self.hosts or name in ("localhost", *self.hosts) or is_address(name)

    def allows_page(self, scope: Scope) -> bool:
        """Whether the page that sent the request may change something; no Origin: it is no page."""
        origin = header_of(scope, b"origin")
        return not origin or self.is_own(origin, scope) or self.is_allowed(origin)

    def is_allowed(self, origin: str) -> bool:
        """Whether it is one of the other origins that may call."""
        return self.any_origin or origin.lower() in self.origins

    def is_own(self, origin: str, scope: Scope) -> bool:
        """Whether the server itself gave out the page: same name and port; TLS may end before the server."""
        page, called = urlsplit(origin.lower()), header_of(scope, b"host").lower()
        if page.scheme not in ("http", "https") or not page.hostname:
            return False
        return _with_port(page.netloc, page.scheme) == _with_port(called, page.scheme)


@lru_cache(_REMEMBERED)
def is_address(text: str) -> bool:
    """Whether it is an address literal, not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(_REMEMBERED)
def is_loopback(address: str) -> bool:
    """Whether it is an address literal of loopback."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback


def host_name(header: str) -> str:
    """The name in a Host header: lower case, without port and brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _with_port(netloc: str, scheme: str) -> str:
    return netloc.removesuffix(f":{_PORTS[scheme]}")


def header_of(scope: Scope, name: bytes) -> str:
    """The request's header, its name in lower case; "" where it has none. For what every request passes."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def _cookie(scope: Scope, name: str) -> str:
    for pair in header_of(scope, b"cookie").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return ""
