"""News of many jobs, kept until somebody has time for them: the newest of each, and no end hidden by a tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class JobNews:
    """What a listener was told since it was last taken. Not thread-safe: whoever hears and takes holds a lock."""

    def __init__(self) -> None:
        self._news: dict[str, float | None] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._news)

    def hear(self, job_id: str, progress: Mapping[str, Any] | None) -> None:
        """As `Jobs.subscribe` tells it."""
        if progress is None:
            self._news[job_id] = None
        elif self._news.get(job_id, 0.0) is not None:
            self._news[job_id] = float(progress["share"])

    def take(self) -> Mapping[str, float | None]:
        """By job: the share of its page that is computed, 0..1, or None where something was committed."""
        news, self._news = self._news, {}
        return news
