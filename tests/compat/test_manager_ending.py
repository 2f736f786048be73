"""A manager that another thread cleans up in the middle of a call answers as one without tasks."""

from __future__ import annotations

from typing import Any

import pytest

from enlarger import UpscaleManager
from enlarger.compat.tasks import Tasks


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
