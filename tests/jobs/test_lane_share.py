"""A lane that gets another share of the machine while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_workers import make_graph, page_file, start
from running_lane import Running

from enlarger.settings import Settings


@pytest.fixture
def running(settings: Settings, tmp_path: Path) -> Iterator[Running]:
    running = Running(settings, make_graph(tmp_path))
    yield running
    running.end()


def test_another_share_holds_from_the_next_page_on(running: Running, tmp_path: Path) -> None:
    opened: list[int] = []
    enhancer = running.enhancer
    one, two = (page_file(tmp_path, f"{number}.png", number) for number in (1, 2))
    enhancer._residents.using = _noting_threads(enhancer._residents.using, opened)  # type: ignore[method-assign]
    running.lane.start(start(1, one, tmp_path / "out"))
    running.done(1)
    running.lane.use_device("cpu", 4, 3)
    running.lane.start(start(2, two, tmp_path / "out"))
    running.done(2)
    own = running.lane._own
    assert (opened[0], opened[-1]) == (enhancer.settings.threads, 3)
    assert own.limits._budget_bytes == enhancer.limits._budget_bytes // 4


def _noting_threads(using: Callable[..., Any], opened: list[int]) -> Callable[..., Any]:
    def noting(key: tuple[Any, ...], open_it: Any) -> Any:
        assert open_it.keywords["settings"].threads == key[-1]
        opened.append(key[-1])
        return using(key, open_it)

    return noting
