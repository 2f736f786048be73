"""Weights before work: what a job's recipe lacks is brought before its pages are listed, and only while it waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from enlarger.errors import JobError, WeightsMissingError
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import Job
from enlarger.jobs.ledger import Ledger
from enlarger.jobs.preparing import unforeseen
from enlarger.jobs.pulls import Pull, Pulls, PullState
from enlarger.jobs.weights import Lack, Weights
from enlarger.messages import msg
from enlarger.models import Card, Variant

_log = logging.getLogger(__name__)

_TELL_S = 3.0  # each is a durable event of every job that waits


@dataclass
class _Need:
    """A model that jobs wait for."""

    card: Card
    variants: list[Variant] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)


@dataclass
class _Told:
    """What jobs were told of a model's way here, and when."""

    jobs: frozenset[str]
    at: float
    bytes: int


class Fetching:
    """Belongs to the dispatcher's thread; the net is waited for elsewhere."""

    def __init__(
        self,
        ledger: Ledger,
        pulls: Pulls,
        weights: Weights,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._pulls = pulls
        self._weights = weights
        self._clock = clock
        self._held: dict[str, Pull] = {}
        self._before: dict[str, tuple[Card, set[str]]] = {}  # who waited at the last look, by job's id
        self._told: dict[str, _Told] = {}

    def ready(self, jobs: Sequence[Job]) -> list[Job]:
        """Those of `jobs`, which are all that wait to be listed, that lack nothing.

        What the others lack is on its way; what nobody lacks any more is called off.
        """
        ended = {model: pull.state for model, pull in self._held.items() if pull.state.has_ended}
        lacks = self._lacks(jobs)  # after the states were read: what is done by now is there
        jobs = [job for job in jobs if job.id in lacks]
        needs = self._needs(jobs, lacks, ended)
        waiting = {job.id for need in needs.values() for job in need.jobs}
        if failed := self._fail(needs, ended):
            needs = self._needs([job for job in jobs if job.id not in failed], lacks, ended)
        self._before = {model: (need.card, {job.id for job in need.jobs}) for model, need in needs.items()}
        for model in ended.keys() | (self._held.keys() - needs.keys()):
            self._leave(model)
        for need in needs.values():
            self._bring(need)
        return [job for job in jobs if job.id not in waiting]

    def _lacks(self, jobs: Iterable[Job]) -> dict[str, tuple[Lack, ...]]:
        """What each job lacks, by its id; a job that cannot be asked ends, and holds up no other."""
        lacks: dict[str, tuple[Lack, ...]] = {}
        for job in jobs:
            try:
                lacks[job.id] = self._weights.lacking(job.submission.recipe)
            except Exception as error:  # cards and recipes are of many versions, and some are people's own
                _log.exception("what a job lacks could not be told", extra={"job": job.id})
                with suppress(JobError):  # deleted meanwhile
                    self._ledger.fail_job(job.id, unforeseen(job, error))
        return lacks

    def _needs(
        self, jobs: Iterable[Job], lacks: Mapping[str, tuple[Lack, ...]], ended: Collection[str]
    ) -> dict[str, _Need]:
        needs: dict[str, _Need] = {}
        for job in jobs:
            lacking = lacks[job.id]
            cards = {lack.card.name: lack.card for lack in lacking} | self._awaited(job, ended)
            for card in cards.values():
                need = needs.setdefault(card.name, _Need(card))
                need.jobs.append(job)
                need.variants += [lack.variant for lack in lacking if lack.card is card]
        return needs

    def _awaited(self, job: Job, ended: Collection[str]) -> dict[str, Card]:
        """What the job goes on waiting for when its own files are there: or the rest of a package is fetched again."""
        before = self._before.items()
        return {model: card for model, (card, jobs) in before if model not in ended and job.id in jobs}

    def _bring(self, need: _Need) -> None:
        model = need.card.name
        pull = self._held.get(model)
        if pull is None:
            pull = self._held[model] = self._pulls.want(need.card, need.variants, self)
        else:
            self._pulls.add(pull, need.variants)
        self._tell(pull.state, frozenset(job.id for job in need.jobs))

    def _leave(self, model: str) -> None:
        self._pulls.leave(self._held.pop(model), self)
        self._told.pop(model, None)

    def _tell(self, state: PullState, jobs: frozenset[str]) -> None:
        """An event for the jobs that wait: at once where it is new to them, else now and then while bytes come."""
        told = self._told.get(state.model) or _Told(frozenset(), 0.0, 0)
        moves = state.bytes != told.bytes and self._clock() - told.at >= _TELL_S
        hearing = jobs if moves else jobs - told.jobs
        if hearing:
            self._told[state.model] = _Told(jobs, self._clock(), state.bytes)
            self._ledger.tell_fetching(hearing, model=state.model, done_bytes=state.bytes, total_bytes=state.total)

    def _fail(self, needs: Mapping[str, _Need], ended: Mapping[str, PullState]) -> set[str]:
        """Jobs that waited for a pull that ended and still lack what it was to bring; who came since has a new one."""
        failed: set[str] = set()
        for model in needs.keys() & ended.keys():
            failure = ended[model].failure or Failure.of(_still_missing(needs[model].variants[0]))
            _, waited = self._before[model]
            for job in needs[model].jobs:
                if job.id in waited:
                    failed.add(job.id)
                    with suppress(JobError):  # deleted meanwhile
                        self._ledger.fail_job(job.id, failure)
        return failed


def _still_missing(variant: Variant) -> WeightsMissingError:
    return WeightsMissingError(
        msg("The weights of {model} were fetched, and yet they are not here.", model=variant.name),
        msg("Run: enlarger models pull {model}", model=variant.name),
    )
