"""`artifact-report.json`: what a job's archive holds, and how every page of it came about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from enlarger.books import natural_key
from enlarger.enhance import notes_in
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import Job, Page, PageResult, PageState
from enlarger.messages import Message

REPORT_NAME = "artifact-report.json"
_LANGUAGE = "en"  # the same report whatever language the server speaks
_TIMES = frozenset({"seconds"})
_OF_THE_JOB = frozenset({"jobId", "outputDir"})
_PASS_KEYS = (
    *("variant", "graph", "weights", "runtime", "device", "dtype"),
    *("tile", "tiles", "filled_share", "halo_px", "batch", "retried", "seconds"),
)


@dataclass(frozen=True)
class Member:
    """A file of the archive; `sha256` in hex."""

    filename: str
    sha256: str
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """As the report tells it."""
        return {"filename": self.filename, "sha256": self.sha256, "bytes": self.bytes}


def build_report(
    job: Job, pages: Iterable[Page], *, output_dir: str, extras: Sequence[Member] = (), notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The report of the manga contract, and beside it `selection`, `pages`, `extras` and `notes`.

    output_dir: the folder of the finished pages, relative to the storage root. extras: what lay beside the pages and
    was carried over. notes: what was not. `items` and `pages` are in reading order. The same work gives the same
    report but for the job's id and times, which are all called "seconds" (see `comparable`).
    """
    pages = reading_order(pages)
    done = [result for page in pages if (result := result_of(page)) is not None]
    failed = sum(page.state is PageState.FAILED for page in pages)
    submission = job.submission
    return {
        "jobId": job.id,
        "title": submission.title,
        "volume": submission.volume,
        "processed": len(done),
        "total": len(pages),
        "model": str(submission.params.get("model") or submission.recipe.model),
        "outscale": float(submission.recipe.scale),
        "device": _joined(done, "device") or submission.device,
        "summary": {"processed": len(done), "failed": failed},
        "items": [Member(result.output, result.output_sha256, result.bytes).as_json() for result in done],
        "outputDir": output_dir,
        "selection": submission.selection,
        "extras": [member.as_json() for member in extras],
        "notes": list(notes),
        "pages": [_page(page, job) for page in pages],
    }


def result_of(page: Page) -> PageResult | None:
    """What a page that is done has become."""
    return page.result if page.state is PageState.DONE else None


def reading_order(pages: Iterable[Page]) -> list[Page]:
    """As the source's names say: pages that were found later stand last in the ledger."""
    return sorted(pages, key=lambda page: natural_key(page.name))


def report_json(report: Mapping[str, Any]) -> bytes:
    """The file's bytes."""
    return json.dumps(report, ensure_ascii=False, indent=2).encode()


def in_report(message: Message) -> str:
    """The sentence in English, files by their names alone: a report travels further than the server's folders."""
    return Message(message.template, {key: _in_report(fact) for key, fact in message.facts.items()}).text(_LANGUAGE)


def _in_report(fact: object) -> object:
    if isinstance(fact, Message):
        return in_report(fact)
    is_path = isinstance(fact, str | PurePath) and PurePath(fact).is_absolute()
    return PurePath(str(fact)).name if is_path else fact


def comparable(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report without what differs between two runs of the same work: the job's id, its folder, all times."""
    kept = {key: value for key, value in report.items() if key not in _OF_THE_JOB}
    return dict(_timeless(kept))


def _timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _timeless(inner) for key, inner in value.items() if key not in _TIMES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def _page(page: Page, job: Job) -> dict[str, Any]:
    result = result_of(page)
    facts: Mapping[str, Any] = {} if result is None else result.facts
    done = [] if result is None else [result]
    return {
        "source": page.name,
        "filename": None if result is None else result.output,
        "state": page.state.value,
        "inputSha256": None if result is None else result.input_sha256,
        "outputSha256": None if result is None else result.output_sha256,
        "bytes": None if result is None else result.bytes,
        "sourceSize": facts.get("source_size"),
        "size": facts.get("size"),
        "model": job.submission.recipe.model,
        "recipe": facts.get("recipe", job.submission.recipe.as_dict()),
        "runtime": _joined(done, "runtime"),
        "device": _joined(done, "device"),
        "dtype": _joined(done, "dtype"),
        "passes": [{_camel(key): one.get(key) for key in _PASS_KEYS} for one in facts.get("passes", ())],
        "metadata": facts.get("metadata"),
        "notes": [note.text(_LANGUAGE) for note in notes_in(facts)],
        "seconds": None if result is None else result.seconds,
        "error": None if page.failure is None else _error(page.failure),
    }


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _error(failure: Failure) -> dict[str, Any]:
    remedy = None if failure.remedy is None else in_report(failure.remedy)
    return {"code": failure.code, "message": in_report(failure.message), "remedy": remedy}


def _joined(results: Iterable[PageResult], key: str) -> str:
    """What was truly used, mostly one: "bf16", or "bf16, fp32" where a pass was computed again."""
    passes = [one for result in results for one in result.facts.get("passes", ())]
    return ", ".join(sorted({str(one[key]) for one in passes if one.get(key)}))
