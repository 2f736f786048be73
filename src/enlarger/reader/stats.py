"""What reading did so far, under the names that readers' clients know."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import computed_field

from enlarger.reader.page_state import PageStatus
from enlarger.reader.patterns import Patterns
from enlarger.reader.reading import PageRecord
from enlarger.reader.rules import in_camel_case

_MOST_WAITS = 1000


@in_camel_case
@dataclass(frozen=True)
class ReaderStats:
    """Counts since the start; in JSON under the names that clients of earlier readers know.

    memory_cache_*: finished pages of open books; they lie on the disk, nothing in memory. queue_wait_*: from being
    wanted to being taken up, of the last pages. dedupe_*: pages wanted while they waited or were in work already.
    """

    memory_cache_count: int
    memory_cache_bytes: int
    pending_tasks: int
    processing_tasks: int
    completed_count: int
    skipped_count: int
    failed_count: int
    queue_wait_sample_count: int
    queue_wait_avg_ms: float
    queue_wait_max_ms: float
    dedupe_request_count: int
    dedupe_hit_count: int
    regex_cache_hit_count: int
    regex_cache_miss_count: int
    is_enabled: bool

    @computed_field  # type: ignore[prop-decorator]
    @property
    def dedupe_hit_rate(self) -> float:
        """0..1; 0 while nothing was asked."""
        return _rate(self.dedupe_hit_count, self.dedupe_request_count)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def regex_cache_hit_rate(self) -> float:
        """0..1; 0 while nothing was asked."""
        return _rate(self.regex_cache_hit_count, self.regex_cache_hit_count + self.regex_cache_miss_count)


class Counters:
    """What is counted while reading. Not thread-safe."""

    def __init__(self) -> None:
        self.completed = self.skipped = self.failed = 0
        self.wanted = self.wanted_again = 0
        self._waits_s: deque[float] = deque(maxlen=_MOST_WAITS)

    def waited(self, seconds: float) -> None:
        """A page was taken up after so long."""
        self._waits_s.append(max(0.0, seconds))

    @property
    def waits_ms(self) -> tuple[int, float, float]:
        """How many waits are remembered, their mean and the longest."""
        waits = [seconds * 1000 for seconds in self._waits_s]
        return (len(waits), sum(waits) / len(waits), max(waits)) if waits else (0, 0.0, 0.0)


def stats_of(
    counters: Counters, records: Sequence[PageRecord], *, pending: int, patterns: Patterns, is_enabled: bool
) -> ReaderStats:
    """From what was counted, and the pages of all open books."""
    finished = [record.bytes for record in records if record.state.status is PageStatus.COMPLETED]
    count, mean_ms, longest_ms = counters.waits_ms
    return ReaderStats(
        memory_cache_count=len(finished),
        memory_cache_bytes=sum(finished),
        pending_tasks=pending,
        processing_tasks=sum(record.is_in_hand for record in records),
        completed_count=counters.completed,
        skipped_count=counters.skipped,
        failed_count=counters.failed,
        queue_wait_sample_count=count,
        queue_wait_avg_ms=mean_ms,
        queue_wait_max_ms=longest_ms,
        dedupe_request_count=counters.wanted,
        dedupe_hit_count=counters.wanted_again,
        regex_cache_hit_count=patterns.hits,
        regex_cache_miss_count=patterns.misses,
        is_enabled=is_enabled,
    )


def _rate(hits: int, asked: int) -> float:
    return hits / asked if asked else 0.0
