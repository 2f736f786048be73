"""Chores: never twice at once, never too many, and one that fails is begun again later."""

from __future__ import annotations

import threading

import pytest

from enlarger.jobs.chores import Chores


def test_one_key_once_and_so_many_hands() -> None:
    goes_on, ended = threading.Event(), threading.Semaphore(0)
    chores = Chores("testing", 2, ended.release)
    assert chores.begin("a", goes_on.wait)
    assert not chores.begin("a", goes_on.wait)
    assert chores.begin("b", goes_on.wait)
    assert not chores.begin("c", goes_on.wait)
    assert chores.is_at("a")
    goes_on.set()
    chores.join(30.0)
    assert ended.acquire(timeout=30.0)
    assert not chores.is_at("a")
    assert chores.begin("c", goes_on.wait)
    chores.join(30.0)


def test_one_that_fails_is_logged_and_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    chores = Chores("testing", 1, lambda: done.append("well"))
    assert chores.begin("a", lambda: 1 / 0)
    chores.join(30.0)
    assert "testing failed" in caplog.text
    assert done == []
    assert chores.begin("a", lambda: None)
    chores.join(30.0)
    assert done == ["well"]
