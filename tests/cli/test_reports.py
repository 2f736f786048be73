"""Reports for a person and for a script, and the exit code they come to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from enlarger.cli.output import ExitCode
from enlarger.cli.reports import Totals, describe, finished_files, result_json, summarise, verdict
from enlarger.enhance import PageOutcome, Report
from enlarger.errors import BookError, CancelledError, OutOfMemoryError, PictureError, StorageError
from enlarger.messages import msg

_FACTS = {
    "source_size": (1000, 500),
    "size": (2000, 1000),
    "decode_seconds": 0.5,
    "encode_seconds": 0.25,
    "passes": [{"seconds": 2.0}, {"seconds": 1.0}],
    "notes": [msg("{depth} bits a channel were brought to 8.", depth=16).as_json()],
}
COMPUTED = PageOutcome("1.png", "computed", Path("out/1.png"), facts=_FACTS)
KEPT = PageOutcome("2.png", "kept", Path("out/2.png"), facts={"size": [20, 10]})
FAILED = PageOutcome("3.png", "failed", error=PictureError(msg("3.png: is broken."), msg("Copy it again.")))
OUT_OF_MEMORY = PageOutcome("4.png", "failed", error=OutOfMemoryError(msg("Too large.")))


def report(*pages: PageOutcome) -> Report:
    return Report("book.cbz", Path("book_2x.cbz"), pages, 4.0)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENLARGER_LANGUAGE", "en")


def test_the_exit_code() -> None:
    unreadable = Report("x.cbz", Path("y.cbz"), (), 0.0, BookError(msg("no")))
    assert verdict([report(COMPUTED, KEPT)], None) == ExitCode.OK
    assert verdict([report(COMPUTED, FAILED)], None) == ExitCode.SOME_FAILED
    assert verdict([unreadable, report(KEPT)], None) == ExitCode.SOME_FAILED
    assert verdict([unreadable], None) == ExitCode.INPUT
    assert verdict([report(OUT_OF_MEMORY)], None) == ExitCode.RUNTIME
    assert verdict([report(COMPUTED)], StorageError(msg("full"))) == ExitCode.STORAGE
    assert verdict([], CancelledError(msg("stop"))) == ExitCode.INTERRUPTED
    assert verdict([], None) == ExitCode.OK


def test_a_book_is_one_line_and_each_failure_another() -> None:
    lines = [str(line) for line in describe(report(COMPUTED, KEPT, FAILED, OUT_OF_MEMORY))]
    assert lines == [
        "book.cbz → book_2x.cbz: 1 computed, 1 already there, 2 failed (4.0 s).",
        "  - 3.png: is broken. Copy it again.",
        "  - 4.png: Too large.",
        "  - 1.png: 16 bits a channel were brought to 8.",
    ]


def test_a_loss_is_told_once_for_all_its_pages_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(COMPUTED, name="5.png", status="cached")
    told_before = replace(COMPUTED, name="6.png", status="kept")
    assert [str(line) for line in describe(report(COMPUTED, other, told_before))][1:] == [
        "  - 2 pages: 16 bits a channel were brought to 8."
    ]
    monkeypatch.setenv("ENLARGER_LANGUAGE", "zh")
    (line,) = (str(line) for line in list(describe(report(COMPUTED)))[1:])
    assert "16" in line
    assert "channel" not in line


def test_a_book_that_was_interrupted_says_so() -> None:
    interrupted = Report("a", Path("b"), (replace(COMPUTED, facts={}),), 1.0, CancelledError(msg("stop")))
    assert [str(line) for line in describe(interrupted)] == ["a → b: 1 computed (1.0 s), not finished."]


def test_the_summary_tells_the_speed_of_what_was_computed() -> None:
    assert str(summarise(Totals.of([COMPUTED, KEPT], 4.0))) == "Pages: 1 computed, 1 already there; 4.0 s, 0.12 MP/s."
    assert str(summarise(Totals.of([KEPT], 0.1))) == "Pages: 1 already there; 0.1 s."


def test_json_has_every_page_whole() -> None:
    result = result_json([report(COMPUTED, FAILED)], Totals.of([COMPUTED, FAILED], 4.0), None, ExitCode.SOME_FAILED)
    assert json.loads(json.dumps(result)) == result
    assert result["exitCode"] == 1
    assert result["totals"] == {
        "computed": 1,
        "cached": 0,
        "kept": 0,
        "failed": 1,
        "seconds": 4.0,
        "megapixels": 0.5,
        "megapixelsPerSecond": 0.125,
    }
    first, second = result["reports"][0]["pages"]
    assert first == {
        "name": "1.png",
        "status": "computed",
        "file": str(Path("out/1.png")),
        "size": [2000, 1000],
        "megapixels": 0.5,
        "seconds": 3.75,
        "notes": ["16 bits a channel were brought to 8."],
        "error": None,
    }
    assert second["error"] == {"code": "bad_picture", "message": "3.png: is broken.", "remedy": "Copy it again."}


def test_an_archive_is_one_finished_file() -> None:
    archive = Path("book_2x.cbz")
    pages = [PageOutcome(name, "kept", archive) for name in "ab"]
    assert list(finished_files([report(*pages, FAILED), report(COMPUTED)])) == [archive, Path("out/1.png")]
