"""Pulls: one for each model, two at once, told of as they go, and stopped when nobody wants them any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from job_making import until
from pulling import NO_NET, SlowFetch

from enlarger.errors import FetchError, UnknownModelError
from enlarger.jobs import Pulls, PullState
from enlarger.models import load_catalog
from enlarger.settings import Settings

CATALOG = load_catalog()
CUNET, PHOTO = (CATALOG.choose(name).card for name in ("waifu2x-cunet", "waifu2x-upconv7-photo"))


@pytest.fixture
def fetch() -> SlowFetch:
    return SlowFetch(held=True)


@pytest.fixture
def pulls(settings: Settings, fetch: SlowFetch) -> Iterator[Pulls]:
    pulls = Pulls(settings, CATALOG, fetch=fetch)
    yield pulls
    pulls.close()


@pytest.fixture
def told(pulls: Pulls) -> list[PullState]:
    told: list[PullState] = []
    pulls.subscribe(told.append)
    return told


def phases(told: list[PullState], model: str = CUNET.name) -> list[str]:
    return list(dict.fromkeys(state.phase for state in told if state.model == model))


def test_a_model_comes_and_is_told_of(pulls: Pulls, fetch: SlowFetch, told: list[PullState]) -> None:
    assert pulls.state("cunet") is None
    assert pulls.start("cunet").phase == "running"
    until(lambda: (10, 100) in [(state.bytes, state.total) for state in told])
    assert not pulls.states()[0].has_ended
    fetch.gate.set()
    until(lambda: phases(told) == ["running", "done"])
    assert pulls.states() == [told[-1]] == [PullState(CUNET.name, "done", 100, 100)]
    assert fetch.done == [CUNET.name]
    with pytest.raises(UnknownModelError):
        pulls.start("nothing")
    with pytest.raises(UnknownModelError):
        pulls.cancel("nothing")


def test_who_asks_for_what_is_on_its_way_joins(pulls: Pulls, fetch: SlowFetch, told: list[PullState]) -> None:
    for name in ("cunet", "waifu2x-cunet", "MODEL_WAIFU2X_CUNET_UP2X"):
        pulls.start(name)
    pulls.want(CUNET, [CUNET.variants[0]], "a job")
    until(lambda: fetch.begun)
    fetch.gate.set()
    until(lambda: phases(told) == ["running", "done"])
    assert fetch.done == [CUNET.name, CUNET.variants[0].name]
    pulls.start("cunet")
    until(lambda: len(fetch.done) == 3, "what has ended does not begin anew")


def test_it_goes_on_while_anybody_wants_it(pulls: Pulls, fetch: SlowFetch, told: list[PullState]) -> None:
    first = pulls.want(CUNET, [CUNET], "a")
    assert pulls.want(CUNET, [CUNET], "b") is first
    pulls.leave(first, "a")
    until(lambda: fetch.begun)
    assert not first.state.has_ended
    pulls.leave(first, "b")
    assert first.state.phase == "cancelled"
    until(lambda: fetch.cancelled == [CUNET.name])
    assert phases(told) == ["running", "cancelled"]
    again = pulls.want(CUNET, [CUNET], "a")
    pulls.leave(first, "a")  # late: that one has ended
    fetch.gate.set()
    until(lambda: again.state.phase == "done")


def test_a_person_stops_it_for_all(pulls: Pulls, fetch: SlowFetch) -> None:
    assert pulls.cancel("cunet") is None
    pull = pulls.want(CUNET, [CUNET], "a")
    state = pulls.cancel("cunet")
    assert state is not None
    assert state.phase == pull.state.phase == "cancelled"
    pulls.start("cunet")
    fetch.gate.set()
    until(lambda: pulls.state("cunet").phase == "done")  # type: ignore[union-attr]
    assert pulls.cancel("cunet").phase == "done"  # type: ignore[union-attr]


def test_two_at_once_and_the_third_may_be_stopped_while_it_waits(pulls: Pulls, fetch: SlowFetch) -> None:
    for name in ("cunet", PHOTO.name, "realcugan-se", "realcugan-pro"):
        pulls.start(name)
    until(lambda: len(fetch.begun) == 2)
    third = next(card for card in ("realcugan-se", "realcugan-pro") if card not in fetch.begun)
    assert pulls.cancel(third).phase == "cancelled"  # type: ignore[union-attr]
    fetch.gate.set()
    until(lambda: len(fetch.done) == 3)
    assert third not in fetch.begun


@pytest.mark.parametrize("error", [NO_NET, KeyError("what?")])
def test_why_it_failed_is_told(
    pulls: Pulls, fetch: SlowFetch, told: list[PullState], error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    fetch.fails = error
    fetch.gate.set()
    pulls.start("cunet")
    until(lambda: phases(told) == ["running", "failed"])
    assert isinstance(told[-1].error, FetchError)
    assert told[-1].failure is not None
    assert told[-1].failure.code == "fetch_failed"
    fetch.fails = None
    pulls.start("cunet")
    until(lambda: told[-1].phase == "done")
    assert told[-1].failure is None


def test_closing_stops_all_and_waits_for_it(settings: Settings, fetch: SlowFetch) -> None:
    pulls = Pulls(settings, CATALOG, fetch=fetch)
    for name in ("cunet", PHOTO.name, "realcugan-se"):
        pulls.start(name)
    until(lambda: len(fetch.begun) == 2)
    pulls.close()
    assert sorted(fetch.cancelled) == sorted(fetch.begun)
    assert {state.phase for state in pulls.states()} == {"cancelled"}


def test_progress_is_told_a_few_times_a_second(settings: Settings) -> None:
    def fast(_target: object, _settings: object, *, progress: object, cancel: object) -> None:
        for n in range(5000):
            progress(n, 5000)  # type: ignore[operator]

    pulls = Pulls(settings, CATALOG, fetch=fast)
    heard: list[PullState] = []
    ends = pulls.subscribe(heard.append)
    pulls.start("cunet")
    until(lambda: heard and heard[-1].phase == "done")
    assert len(heard) < 1000
    assert heard[-1].bytes == 4999
    ends()
    pulls.start("cunet")
    pulls.close()
    assert heard[-1].phase == "done"
