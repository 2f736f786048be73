"""Which state may follow which: every statement that changes a state names the states it may come from."""

from __future__ import annotations

from collections.abc import Mapping

from enlarger.jobs.job import JobState, PageState

_OPEN_ENDS = frozenset({JobState.PACKING, JobState.DONE, JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED})
_AGAIN = frozenset({JobState.QUEUED})

JOB_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: _OPEN_ENDS | {JobState.RUNNING, JobState.PAUSED},
    JobState.RUNNING: _OPEN_ENDS | {JobState.QUEUED, JobState.PAUSED},
    # paused again: by a person, a job that was paused for a full disk and would go on by itself
    JobState.PAUSED: frozenset({JobState.PAUSED, JobState.QUEUED, JobState.FAILED, JobState.CANCELLED}),
    JobState.PACKING: _OPEN_ENDS - {JobState.PACKING} | {JobState.PAUSED},
    JobState.DONE: _AGAIN,
    JobState.PARTIAL: _AGAIN,
    JobState.FAILED: _AGAIN,
    JobState.CANCELLED: _AGAIN,
}
PAGE_MOVES: Mapping[PageState, frozenset[PageState]] = {
    PageState.QUEUED: frozenset({PageState.RUNNING, PageState.CANCELLED}),
    PageState.RUNNING: frozenset({PageState.QUEUED, PageState.DONE, PageState.FAILED, PageState.CANCELLED}),
    PageState.DONE: frozenset({PageState.QUEUED}),  # its file was lost
    PageState.FAILED: frozenset({PageState.QUEUED}),
    PageState.CANCELLED: frozenset({PageState.QUEUED}),
}


def jobs_that_may_become(state: JobState) -> list[JobState]:
    """The states from which a job may go to `state`."""
    return [source for source, targets in JOB_MOVES.items() if state in targets]


def pages_that_may_become(state: PageState) -> list[PageState]:
    """The states from which a page may go to `state`."""
    return [source for source, targets in PAGE_MOVES.items() if state in targets]
