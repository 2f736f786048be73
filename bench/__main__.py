"""`make bench`: what Enlarger does on this machine, beside the raw session and beside what else there is."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import httpx

from bench import contests, flat, held_back, peaks, reading, resident, service, tasks
from bench.alternate import PeerError
from bench.halo import useful_shares
from bench.machine import this_machine
from bench.report import Findings, markdown
from bench.sizes import FULL, QUICK, Sizes
from bench.subjects import Studio
from enlarger.errors import EnlargerError
from enlarger.models import load_catalog
from enlarger.settings import Settings

ROOT = Path(__file__).parent.parent
ROWS = (
    "road",
    "raw",
    "onnxruntime",
    "pytorch",
    "ncnn",
    "sr_vulkan",
    "pace",
    "resident",
    "memory",
    "service",
    "reading",
    "tasks",
    "held_back",
    "flat",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the page, write it where that was asked for; 1 when a model could not be had."""
    options = _options().parse_args(arguments)
    sizes = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory(prefix="enlarger-bench-", ignore_cleanup_errors=True) as scratch:
        try:
            findings = measure(sizes, options, Path(scratch))
        except EnlargerError as error:
            say(str(error))
            return 1
    page = markdown(findings)
    print(page)
    if options.write is not None:
        options.write.write_text(page, encoding="utf-8")
        say(f"Written: {options.write}")
    return 0


def measure(sizes: Sizes, options: argparse.Namespace, scratch: Path) -> Findings:
    """Everything that is wanted, in `scratch`, with models calibrated there and then."""
    machine, studio = this_machine(), Studio(options.pictures.resolve())
    settings = Settings(data_dir=scratch / "data", cache_dir=scratch / "cache")
    rounds = options.rounds or sizes.rounds
    held = [contest for contest in contests.contests(studio, sizes) if contests.is_wanted(contest, options.rows)]
    return Findings(
        machine=machine,
        quick=options.quick,
        outcomes=tuple(contests.hold(contest, settings, options.rows, rounds, say) for contest in held),
        residence=_residence(studio, sizes, scratch, options.rows),
        peaks=tuple(peaks.peaks(studio, sizes, scratch, say)) if "memory" in options.rows else (),
        service=_service(studio, sizes, scratch, options.rows),
        reading=_reading(studio, sizes, scratch, options.rows),
        tasks=_tasks(studio, sizes, scratch, options.rows),
        held_back=tuple(_held_back(sizes, scratch, options.rows)),
        flat=tuple(flat.measure(studio, sizes, settings, rounds, say)) if "flat" in options.rows else (),
        halos=tuple(_halos()) if options.halo else (),
    )


def say(text: str) -> None:
    """Progress goes to stderr: stdout is the page."""
    print(text, file=sys.stderr, flush=True)


def _residence(studio: Studio, sizes: Sizes, scratch: Path, wanted: Collection[str]) -> resident.Residence | None:
    if "resident" not in wanted:
        return None
    pages = studio.pages(sizes.pages, sizes.page)
    windows = [
        studio.crop(pages[index % len(pages)], index // len(pages), sizes.small_page)
        for index in range(sizes.small_pages)
    ]
    try:
        return resident.compare(windows, scratch, say)
    except PeerError as error:
        say(f"  resident: {error}")
        return None


def _service(studio: Studio, sizes: Sizes, scratch: Path, wanted: Collection[str]) -> service.ServiceFindings | None:
    if "service" not in wanted:
        return None
    try:
        return service.measure(studio, sizes, scratch, say)
    except (PeerError, TimeoutError, httpx.HTTPError) as error:
        say(f"  service: {error}")
        return None


def _reading(studio: Studio, sizes: Sizes, scratch: Path, wanted: Collection[str]) -> reading.ReadingFindings | None:
    if "reading" not in wanted:
        return None
    try:
        return reading.measure(studio, sizes, scratch, say)
    except (PeerError, TimeoutError, httpx.HTTPError) as error:
        say(f"  reading: {error}")
        return None


def _held_back(sizes: Sizes, scratch: Path, wanted: Collection[str]) -> list[held_back.HeldBack]:
    if "held_back" not in wanted:
        return []
    try:
        return held_back.measure(scratch, sizes.rounds or 5, say)
    except PeerError as error:
        say(f"  held back: {error}")
        return []


def _tasks(studio: Studio, sizes: Sizes, scratch: Path, wanted: Collection[str]) -> tasks.TaskFindings | None:
    if "tasks" not in wanted:
        return None
    try:
        return tasks.measure(studio, sizes, scratch, say)
    except (PeerError, EnlargerError) as error:
        say(f"  tasks: {error}")
        return None


def _halos() -> list[tuple[str, int, str]]:
    return [
        (variant.name, variant.halo, useful_shares(variant.halo))
        for card in load_catalog().cards
        for variant in card.variants
    ]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--rows", type=_rows, default=ROWS, metavar="ROW,…", help=f"only these, of {', '.join(ROWS)}; default: all"
    )
    parser.add_argument(
        "--rounds", type=int, default=0, help="alternating rounds; default: 1 to 3, as time allows, with --quick 1"
    )
    parser.add_argument("--quick", action="store_true", help="tiny pictures: shows that it runs, measures nothing")
    parser.add_argument("--halo", action="store_true", help="also what each network's halo costs")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=ROOT / "docs" / "benchmarks.md", metavar="FILE",
        help="write the page to FILE, by default docs/benchmarks.md",
    )  # fmt: skip
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / ".cache" / "bench",
        metavar="FOLDER",
        help="where drawn pictures are kept",
    )
    return parser


def _rows(text: str) -> tuple[str, ...]:
    rows = tuple(text.split(","))
    if unknown := set(rows) - set(ROWS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(ROWS)}")
    return rows


if __name__ == "__main__":
    sys.exit(main())
