"""What a lane says of the models it keeps open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_workers import PATIENCE_S, make_graph, page_file, start
from running_lane import Running

from enlarger.jobs.protocol import Idle, OpenModel
from enlarger.messages import msg
from enlarger.runtimes import TROUBLES
from enlarger.settings import Settings


@pytest.fixture
def running(settings: Settings, tmp_path: Path) -> Iterator[Running]:
    running = Running(settings, make_graph(tmp_path))
    try:
        yield running
    finally:
        running.end()


def only_model(running: Running, page: Path) -> OpenModel:
    """What is open after one page."""
    running.lane.start(start(1, page, page.parent / "out"))
    running.done(1)
    with running._changed:
        assert running._changed.wait_for(lambda: any(idle.models for idle in running.of(Idle)), PATIENCE_S)
    (model,) = running.of(Idle)[-1].models
    return model


def test_idle_says_what_is_open_and_unloading_closes_it(running: Running, tmp_path: Path) -> None:
    model = only_model(running, page_file(tmp_path))
    assert (model.model, model.runtime, model.device) == ("MODEL_WAIFU2X_CUNET_UP2X", "fake", "cpu")
    running.lane.unload()
    with running._changed:
        assert running._changed.wait_for(lambda: running.of(Idle)[-1].models == (), PATIENCE_S)
    assert running.runtime.sessions_closed == running.runtime.sessions_opened == 1


def test_idle_says_why_a_model_is_not_where_it_was_meant_to_be(running: Running, tmp_path: Path) -> None:
    why = msg("{device} hiccuped", device="it")
    TROUBLES.note("fake", "cpu", why)
    assert only_model(running, page_file(tmp_path, width=200, height=200)).fallback == why
