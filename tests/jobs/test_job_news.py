"""News of jobs until they are taken: the newest of each, and a commit is never hidden by a tile."""

from __future__ import annotations

from enlarger.jobs import JobNews


def tile(share: float) -> dict[str, object]:
    return {"page": "a.png", "position": 0, "share": share}


def test_of_tiles_the_newest_is_kept_for_each_job() -> None:
    news = JobNews()
    assert not news
    news.hear("a", tile(0.25))
    news.hear("b", tile(0.5))
    news.hear("a", tile(0.75))
    assert news
    assert news.take() == {"a": 0.75, "b": 0.5}


def test_a_commit_is_told_whatever_tiles_come_before_and_after() -> None:
    news = JobNews()
    news.hear("a", tile(0.5))
    news.hear("a", None)
    news.hear("a", tile(1.0))
    assert news.take() == {"a": None}


def test_what_was_taken_is_not_told_again() -> None:
    news = JobNews()
    news.hear("a", None)
    taken = news.take()
    assert not news
    news.hear("a", tile(0.5))
    assert (taken, news.take()) == ({"a": None}, {"a": 0.5})
