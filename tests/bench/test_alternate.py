"""Rows take turns, ratios are taken within a round, and a row that cannot run stops nobody else."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest

from bench.alternate import PeerError, Ratio, Row, Timed, alternate, ratio


def silent(_: str) -> None:
    pass


def row(name: str, calls: list[str], px: int = 1_000_000) -> Row:
    return Row(name, "fp32", px, lambda _: calls.append(name))


def test_every_round_begins_with_another_row() -> None:
    calls: list[str] = []
    timed = alternate([row(name, calls) for name in "abc"], 3, silent)
    assert "".join(calls) == "abcbcacab"
    assert [len(each.seconds) for each in timed] == [3, 3, 3]


@pytest.mark.parametrize(("budget_s", "rounds"), [(0, 1), (29, 2), (30, 3), (1000, 4)])
def test_a_round_begins_only_when_it_should_end_in_time(budget_s: float, rounds: int) -> None:
    now = 0.0

    def ten_seconds(_: Path) -> None:
        nonlocal now
        now += 10

    (timed,) = alternate([Row("a", "fp32", 1, ten_seconds)], 4, silent, budget_s=budget_s, clock=lambda: now)
    assert len(timed.seconds) == rounds


def test_each_run_has_an_empty_folder_of_its_own() -> None:
    folders: list[Path] = []

    def run(folder: Path) -> None:
        assert list(folder.iterdir()) == []
        (folder / "left behind").touch()
        folders.append(folder)

    alternate([Row("a", "fp32", 1, run)], 2, silent)
    assert len(set(folders)) == 2
    assert not any(folder.exists() for folder in folders)


def test_what_is_absent_or_fails_is_said_and_not_run_again() -> None:
    calls: list[str] = []

    def fail(_: Path) -> None:
        calls.append("failing")
        raise PeerError("died with exit code -11")

    rows = [row("works", calls), Row("failing", "fp32", 1, fail), Row("absent", "fp32", 1, absent="not here")]
    works, failing, absent = alternate(rows, 2, silent)
    assert calls.count("failing") == 1
    assert len(works.seconds) == 2
    assert (failing.seconds, failing.problem) == ((), "failed: died with exit code -11")
    assert (absent.seconds, absent.problem) == ((), "not here")


def test_what_ran_is_let_go() -> None:
    class Network:
        def __call__(self, _: Path) -> None:
            pass

    network = Network()
    held = weakref.ref(network)
    timed = alternate([Row("a", "fp32", 1, network)], 1, silent)
    del network
    assert timed[0].seconds
    assert held() is None


def test_a_mistake_in_the_benchmark_is_no_result() -> None:
    def mistaken(_: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        alternate([Row("a", "fp32", 1, mistaken)], 1, silent)


def test_a_ratio_is_of_speeds_within_the_same_round() -> None:
    fast = Timed(Row("fast", "bf16", 3_000_000), (1.0, 2.0, 10.0))
    slow = Timed(Row("slow", "fp32", 1_000_000), (1.0, 1.0, 40.0))
    found = ratio([fast, slow], "fast", "slow")
    assert found is not None
    assert found == Ratio(3.0, 1.5, 12.0, 3)
    assert fast.megapixels_per_s == 1.5
    assert fast.best_megapixels_per_s == 3.0


def test_there_is_no_ratio_to_what_did_not_run() -> None:
    ran, failed = Timed(Row("ran", "fp32", 1), (1.0,)), Timed(Row("failed", "fp32", 1), problem="not here")
    assert ratio([ran, failed], "ran", "failed") is None
    assert ratio([ran], "ran", "nobody") is None
