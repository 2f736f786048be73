"""A browser is opened only where somebody can see it."""

from __future__ import annotations

import pytest

from enlarger.cli.browser import is_seen


@pytest.mark.parametrize(
    ("environment", "platform", "seen"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "1.2.3.4"}, "linux", False),
        ({}, "darwin", True),
        ({"CI": "1"}, "darwin", False),
        ({}, "win32", True),
    ],
)
def test_who_sees_a_browser(environment: dict[str, str], platform: str, seen: bool) -> None:
    assert is_seen(environment, platform) is seen
