"""A manager that another thread cleans up in the middle of a call answers as one without tasks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from compat_workers import PATIENCE_S, gated_crew, png, settings_in

from enlarger import UpscaleManager
from enlarger.compat.tasks import Tasks
from enlarger.enhance import make_recipe


class _Nothing:
    """Tasks that know none."""

    def status(self, _number: int) -> None: ...

    result = status

    def wait(self, _number: int, _timeout_s: float) -> bool:
        return False

    def remove(self, _numbers: object) -> None: ...

    def workers(self) -> list[Any]:
        return []


class _Ending(UpscaleManager):
    """Its tasks are there when they are first looked at, and gone right after."""

    _instance = None

    @property
    def _tasks(self) -> Tasks | None:  # type: ignore[override]
        found, self._left = self._left, None
        return found

    @_tasks.setter
    def _tasks(self, tasks: Tasks | None) -> None:
        self._left: Any = _Nothing()


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda manager: manager.get_task_status(1), None),
        (lambda manager: manager.get_task_result(1), None),
        (lambda manager: manager.wait_for_task(1), False),
        (lambda manager: manager.cancel_tasks([1]), None),
        (lambda manager: manager.workers(), []),
        (lambda manager: manager.failure(1), None),
    ],
)
def test_the_tasks_may_go_while_they_are_asked(ask: Any, answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Ending, "_instance", None)
    assert ask(_Ending()) == answer


class _SlowDisk(Tasks):
    """Writes a picture once all was deleted, if nobody waits for it, and else soon."""

    def _take_in(self, job_id: str, name: str, data: Any) -> Path:
        self.closer = threading.Thread(target=self.close)
        self.closer.start()
        self.closer.join(1.0)
        return super()._take_in(job_id, name, data)


def test_a_task_that_is_added_while_all_ends_leaves_no_files(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    tasks = _SlowDisk(settings, make_crew=gated_crew(tmp_path))
    tasks.add(png(), make_recipe(tasks.catalog))
    tasks.closer.join(PATIENCE_S)
    assert [path.name for path in (settings.cache_dir / "tasks").iterdir()] == [".roots.lock"]
