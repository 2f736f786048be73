"""Sockets are bound first, and what is in the way is named."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from enlarger.cli.listening import address, bound, is_loopback
from enlarger.errors import ServerError


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("nas", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_only_loopback_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_several_ports_listen_at_once() -> None:
    sockets = bound("127.0.0.1", (0, 0))
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 2
        for each in sockets:
            assert address(each, "/pre") == f"http://127.0.0.1:{each.getsockname()[1]}/pre"
            socket.create_connection(each.getsockname()).close()
    finally:
        for each in sockets:
            each.close()


def test_every_network_is_shown_as_this_machine() -> None:
    (listening,) = bound("0.0.0.0", (0,))
    with listening:
        assert address(listening).startswith("http://127.0.0.1:")


def test_a_name_is_resolved() -> None:
    (listening,) = bound("localhost", (0,))
    with listening:
        assert address(listening).startswith("http://127.0.0.1:")


def test_a_port_in_use_is_named_and_the_others_are_let_go() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other, closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        free, taken = probe.getsockname()[1], other.getsockname()[1]
        probe.close()
        with pytest.raises(ServerError, match=f"Port {taken} is in use") as error:
            bound("127.0.0.1", (free, taken))
        assert f"--port {taken % 65535 + 1}" in str(error.value.remedy)
    (again,) = bound("127.0.0.1", (free,))
    again.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 300])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(ServerError, match=r"this machine"):
        bound(host, (0,))
