"""Reports as sentences for a person and as JSON for a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enlarger.cli.amounts import format_span
from enlarger.cli.output import ExitCode, error_json, exit_code
from enlarger.enhance import PageOutcome, Report, notes_in
from enlarger.errors import EnlargerError
from enlarger.messages import Message, msg


@dataclass(frozen=True)
class Totals:
    """Pages by what became of them; `megapixels` counts the sources of computed pages."""

    computed: int
    cached: int
    kept: int
    failed: int
    megapixels: float
    seconds: float

    @classmethod
    def of(cls, pages: Iterable[PageOutcome], seconds: float) -> Totals:
        """Count `pages`, which took `seconds` together."""
        counts = {"computed": 0, "cached": 0, "kept": 0, "failed": 0}
        megapixels = 0.0
        for page in pages:
            counts[page.status] += 1
            megapixels += page.megapixels if page.status == "computed" else 0.0
        return cls(**counts, megapixels=megapixels, seconds=seconds)

    @property
    def megapixels_per_s(self) -> float:
        """Of the sources; 0 when nothing was computed."""
        return self.megapixels / self.seconds if self.seconds > 0 else 0.0

    def sentence(self) -> str:
        """ "12 computed, 3 already there, 1 failed"."""
        counts = (
            (self.computed, msg("{count} computed", count=self.computed)),
            (self.cached, msg("{count} from the cache", count=self.cached)),
            (self.kept, msg("{count} already there", count=self.kept)),
            (self.failed, msg("{count} failed", count=self.failed)),
        )
        return str(msg(", ")).join(str(message) for count, message in counts if count) or str(msg("no pages"))


def verdict(reports: Sequence[Report], ending: EnlargerError | None) -> ExitCode:
    """The exit code: 0, 1 when some failed, and the kind of the first error when nothing came of anything."""
    if ending is not None:
        return exit_code(ending)
    errors = [error for report in reports for error in _errors(report)]
    if not errors:
        return ExitCode.OK
    succeeded = any(page.status != "failed" for report in reports for page in report.pages)
    return ExitCode.SOME_FAILED if succeeded else exit_code(errors[0])


def describe(report: Report) -> Iterator[Message | str]:
    """One line for the book, one for each page that failed, with its remedy, and one for each kind of loss."""
    totals = Totals.of(report.pages, report.seconds)
    span = format_span(report.seconds)
    facts = {"title": report.title, "target": _destination(report), "counts": totals.sentence(), "span": span}
    if report.error is None:
        yield msg("{title} → {target}: {counts} ({span}).", **facts)
    elif report.pages:
        yield msg("{title} → {target}: {counts} ({span}), not finished.", **facts)
    else:
        yield str(report.error)
    for page in report.failures:
        yield f"  - {_failure(page)}"
    for note, names in _losses(report).items():
        # not within the f-string: the catalogue would not find the sentence there
        whose = names[0] if len(names) == 1 else msg("{count} pages", count=len(names))
        yield f"  - {whose}: {note}"


def _losses(report: Report) -> dict[str, list[str]]:
    """What could not be kept, and the names of the pages it was lost of. What lies there already was told before."""
    names: dict[str, list[str]] = {}
    for page in report.pages:
        for note in notes_in(page.facts) if page.status != "kept" else ():
            names.setdefault(str(note), []).append(page.name)
    return names


def _destination(report: Report) -> Path:
    """Of one loose picture its file, which tells more than the folder."""
    files = [page.file for page in report.pages if page.name == report.title and page.file is not None]
    return files[0] if files else report.target


def summarise(totals: Totals) -> Message:
    """The last line of a run."""
    counts, span = totals.sentence(), format_span(totals.seconds)
    if not totals.computed:
        return msg("Pages: {counts}; {span}.", counts=counts, span=span)
    rate = f"{totals.megapixels_per_s:.2f}"
    return msg("Pages: {counts}; {span}, {rate} MP/s.", counts=counts, span=span, rate=rate)


def result_json(
    reports: Sequence[Report], totals: Totals, ending: EnlargerError | None, code: ExitCode
) -> dict[str, Any]:
    """All that a script may want to know of a run."""
    return {
        "exitCode": int(code),
        "error": None if ending is None else error_json(ending),
        "totals": {
            "computed": totals.computed,
            "cached": totals.cached,
            "kept": totals.kept,
            "failed": totals.failed,
            "seconds": round(totals.seconds, 3),
            "megapixels": round(totals.megapixels, 4),
            "megapixelsPerSecond": round(totals.megapixels_per_s, 4),
        },
        "reports": [_report_json(report) for report in reports],
    }


def finished_files(reports: Iterable[Report]) -> Iterator[Path]:
    """Every picture that lies where it was wanted, and every archive, once."""
    files = (page.file for report in reports for page in report.pages if page.file is not None)
    return iter(dict.fromkeys(files))


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "target": str(report.target),
        "seconds": round(report.seconds, 3),
        "error": None if report.error is None else error_json(report.error),
        "pages": [_page_json(page) for page in report.pages],
    }


def _page_json(page: PageOutcome) -> dict[str, Any]:
    return {
        "name": page.name,
        "status": page.status,
        "file": None if page.file is None else str(page.file),
        "size": list(page.facts["size"]) if "size" in page.facts else None,
        "megapixels": round(page.megapixels, 4),
        "seconds": _seconds(page),
        "notes": [str(note) for note in notes_in(page.facts)],
        "error": None if page.error is None else error_json(page.error),
    }


def _seconds(page: PageOutcome) -> float:
    """What the page cost this run: decoding, inference and encoding, also where they overlapped with other pages."""
    if page.status != "computed":
        return 0.0
    passes = sum(one["seconds"] for one in page.facts.get("passes", ()))
    around = (page.facts.get(name, 0.0) for name in ("decode_seconds", "encode_seconds"))
    return round(float(passes + sum(around)), 3)


def _failure(page: PageOutcome) -> str:
    sentence = str(page.error)
    return sentence if page.name in sentence else f"{page.name}: {sentence}"


def _errors(report: Report) -> Iterator[EnlargerError]:
    if report.error is not None:
        yield report.error
    yield from (page.error for page in report.failures if page.error is not None)
