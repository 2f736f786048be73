"""The crew: real processes with the fake runtime, heard over their pipes, replaced when they die."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_workers import make_graph, page_file, running, setup, start

from enlarger.jobs.protocol import Done, Idle
from enlarger.settings import Settings


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


def test_a_page_lies_in_its_place_when_done_is_heard(settings: Settings, graph: Path, tmp_path: Path) -> None:
    page = page_file(tmp_path / "in")
    with running(setup(settings, graph)) as crew:
        (worker,) = crew.workers()
        assert crew.crew.send(worker, start(1, page, tmp_path / "out"))
        (done,) = crew.until_heard(Done)
        assert (tmp_path / "out" / done.result.output).stat().st_size == done.result.bytes
        crew.until_heard(Idle, 2)
        (state,) = crew.crew.states()
        assert (state.state, state.tasks, state.models[0].runtime) == ("idle", (), "fake")
        assert state.rss_bytes > 0
