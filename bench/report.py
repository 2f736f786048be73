"""The findings as Markdown: ratios first, because they carry over to other machines, figures after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.contests import JPEG, RAW, WEBP, Outcome, Question
from bench.flat import LEAST_SAVED, FlatFindings
from bench.held_back import HeldBack
from bench.machine import Machine
from bench.peaks import Peak
from bench.reading import PAGE_BYTES, ReadingFindings, Served
from bench.resident import Residence, Series
from bench.service import ServiceFindings
from bench.tasks import TaskFindings

_HOW = """\
Rows of one card alternate: each runs once a round, and each round begins with another row. A ratio is taken within
each round; its median and its range over the rounds are given. MP/s are millions of pixels of the *input picture* a
second: what the tiles overlap is work, not output.

- **whole road**: bytes of a JPEG in; decode, tiles, stitch, checks, encode, cache (durable); a cold cache each round.
  Pages follow each other, as in a book; the photograph and the crop travel alone, so nothing overlaps with them.
- **raw session**: the very same tiles, cut before, back to back through a session of the same runtime and dtype.
- **onnxruntime, pytorch, ncnn**: the network alone on one of these tiles, already in their own layout and dtype.
- **sr_vulkan**: its CPU mode, a file in and a WebP out, with its own tiles of 400, on a part of a page.
- **flat areas**: a drawn page with margins, its paper exactly white; what is flat by the definition here: blocks of
  64 px that are one colour with 18 px around. The picture is decoded before and not encoded.
- **resident and new process**: both begin with empty folders; “first” has the graph, calibration and compiling in it.
- **peak memory**: the kernel's high-water mark (VmHWM) of the command's own process."""


@dataclass(frozen=True)
class Findings:
    """Everything that was measured in one run."""

    machine: Machine
    quick: bool
    outcomes: tuple[Outcome, ...] = ()
    residence: Residence | None = None
    peaks: tuple[Peak, ...] = ()
    service: ServiceFindings | None = None
    reading: ReadingFindings | None = None
    tasks: TaskFindings | None = None
    held_back: tuple[HeldBack, ...] = ()
    flat: tuple[FlatFindings, ...] = ()
    halos: tuple[tuple[str, int, str], ...] = field(default=())


def markdown(findings: Findings) -> str:
    """The whole page."""
    sections = (
        _title(findings), _machine(findings), _ratios(findings), _speeds(findings), _plans(findings),
        _residence(findings), _peaks(findings), _service(findings), _reading(findings), _tasks(findings),
        _held_back(findings), _flat(findings), _halos(findings), f"## How it was measured\n\n{_HOW}",
    )  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def _title(findings: Findings) -> str:
    text = "# Benchmarks · 性能测试\n\nMade by `make bench`. Ratios carry over to other machines, figures don't.\n\n"
    quick = "\n\n**A quick run on tiny pictures: it shows that everything runs, its figures mean nothing.**"
    return text + chinese_summary(findings) + (quick if findings.quick else "")


def chinese_summary(findings: Findings) -> str:
    """The ratios that were asked for, in Chinese."""
    machine = findings.machine
    facts = [text for outcome in findings.outcomes if (text := _chinese(outcome))]
    beginning = (
        f"由 `make bench` 生成，{machine.day}，{machine.cpu}，{machine.cores} 核。"
        "比值可以推广到别的机器，绝对数字不行。"
    )
    return "\n".join([beginning, *(f"- {fact}" for fact in facts)])


_CHINESE = {
    "pages": "漫画页",
    "photograph": "照片",
    "crop": "局部",
    JPEG: "全程（输出 JPEG）",
    WEBP: "全程（输出 WebP）",
    RAW: "裸会话",
}


def _chinese(outcome: Outcome) -> str:
    contest = outcome.contest
    ratios = [_chinese_ratio(asked, found.median) for asked, found in outcome.ratios if asked.asked]
    if not ratios:
        return ""
    share = f"图块有效率 {outcome.facts.useful_share:.0%}"
    return f"{contest.model} {contest.scale} 倍（{_CHINESE[contest.pictures]}）：" + "；".join([*ratios, share]) + "。"


def _chinese_ratio(question: Question, value: float) -> str:
    faster = _CHINESE.get(question.faster, question.faster)
    slower = _CHINESE.get(question.slower, f" {question.slower} ")  # space around Latin words, none around Chinese
    return f"{faster}的速度是{slower}的 {value:.2f} 倍"


def _machine(findings: Findings) -> str:
    machine = findings.machine
    load = "" if machine.load is None else f", load {machine.load:.1f} before it began"
    lines = (
        f"- {machine.day}{load}; every row with {machine.cores} threads",
        f"- {machine.cpu}, {machine.cores} cores, {', '.join(machine.features) or 'features unknown'}, "
        f"{machine.memory_bytes / 2**30:.0f} GiB of memory",
        f"- {machine.system}, Python {machine.python}, {', '.join(machine.versions)}",
    )
    return "## The machine\n\n" + "\n".join(lines)


def _ratios(findings: Findings) -> str:
    rows = [
        (
            outcome.contest.title,
            f"{question.faster} / {question.slower}",
            f"**{found.median:.2f}**",
            f"{found.lowest:.2f} to {found.highest:.2f}",
            str(found.rounds),
            question.asked,
        )
        for outcome in findings.outcomes
        for question, found in outcome.ratios
    ]
    return _table("## Ratios of speed", ("card, pictures", "ratio", "median", "range", "rounds", "asked"), rows)


def _speeds(findings: Findings) -> str:
    rows = [row for outcome in findings.outcomes for row in _speed_rows(outcome)]
    headings = ("card, pictures", "row", "dtype", "MP/s, median", "best", "seconds a picture")
    return _table("## Speed", headings, rows)


def _speed_rows(outcome: Outcome) -> Iterator[Sequence[str]]:
    for each in outcome.timed:
        row, where = (
            each.row,
            f", {outcome.facts.runtime}:{outcome.facts.device}" if each.row.name in (JPEG, WEBP, RAW) else "",
        )
        facts = (outcome.contest.title, f"{row.name}{where}", row.dtype)
        if not each.seconds:
            yield (*facts, each.problem or "not run", "", "")
            continue
        seconds = row.px / row.pictures / 1e6 / each.megapixels_per_s
        yield (*facts, f"{each.megapixels_per_s:.3f}", f"{each.best_megapixels_per_s:.3f}", f"{seconds:.2f}")


def _plans(findings: Findings) -> str:
    rows = [_plan_row(outcome) for outcome in findings.outcomes]
    headings = ("card, pictures", "picture", "tile", "tiles", "halo", "useful share", "asked")
    return _table("## Plans of tiles", headings, rows)


def _plan_row(outcome: Outcome) -> Sequence[str]:
    facts, contest = outcome.facts, outcome.contest
    picture, tile = _size(contest.subjects[0].size), _size((facts.tile[1], facts.tile[0]))
    asked = "≥ 85 %" if contest.pictures == "pages" else ""
    return (contest.title, picture, tile, str(facts.tiles), str(outcome.halo), f"{facts.useful_share:.1%}", asked)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _residence(findings: Findings) -> str:
    if findings.residence is None:
        return ""
    found = findings.residence
    title = f"## Resident against a new process for each picture\n\nwaifu2x-cunet 2x to WebP, {_size(found.size)}."
    rows = [
        _series("resident", found.resident),
        _series("new process each", found.processes),
        (
            "**resident is faster by**",
            *(f"**{_over(found, part):.2f}**" for part in ("first_s", "warm_s", "total_s")),
            "",
        ),
    ]
    return _table(title, ("", "first, s", "warm, s", f"all {found.pictures}, s", "peak, GB"), rows)


def _series(name: str, series: Series) -> Sequence[str]:
    seconds = (f"{value:.2f}" for value in (series.first_s, series.warm_s, series.total_s))
    return (name, *seconds, f"{series.peak_bytes / 1e9:.2f}")


def _over(found: Residence, part: str) -> float:
    slow: float = getattr(found.processes, part)
    fast: float = getattr(found.resident, part)
    return slow / fast


def _peaks(findings: Findings) -> str:
    rows = [
        (peak.what, _size(peak.size), peak.problem, "", peak.asked)
        if peak.spent is None
        else (
            peak.what, _size(peak.size), f"**{peak.spent.peak_bytes / 1e9:.2f}**",
            f"{peak.spent.seconds:.1f}", peak.asked,
        )
        for peak in findings.peaks
    ]  # fmt: skip
    return _table("## Peak memory of one command", ("", "picture", "peak, GB", "seconds", "asked"), rows)


def _service(findings: Findings) -> str:
    found = findings.service
    if found is None:
        return ""
    waited = found.waited_s / found.tile_s
    pages = f"{found.pages} pages of {_size(found.size)}"
    rows = [
        (f"{pages} as one job, s", f"{found.job_s:.1f}", ""),
        ("the same through the command, s", f"{found.command_s:.1f}", ""),
        ("**job / command**", f"**{found.job_s / found.command_s:.2f}**", "≤ 1.15"),
        ("server and one idle worker, model resident, GB", f"**{found.rest_bytes / 1e9:.2f}**", "< 1"),
        ("a small picture over HTTP, s: alone", f"{found.alone_s:.2f}", ""),
        ("the same during a volume, s: median", f"{found.alone_s + found.waited_s:.2f}", ""),
        ("**what it waited, in tiles of that volume**", f"**{waited:.2f}**", "≤ 1"),
    ]
    return _table("## The server\n\nwaifu2x-cunet 2x to WebP.", ("", "measured", "asked"), rows)


def _reading(findings: Findings) -> str:
    found = findings.reading
    if found is None:
        return ""
    rows = [row for served in found.served for row in _served(served)]
    rows += [
        (f"from a turn to the sharp page of {_size(found.size)}, s: cold, median", f"{median(found.cold_s):.2f}", ""),
        ("the same of the next page, made ready ahead", f"{median(found.ahead_s):.3f}", ""),
    ]
    title = (
        f"## Reading\n\nA cached page of {PAGE_BYTES // 1000} kB, by wrk with four connections, against plain "
        "Starlette on uvicorn without a middleware: FileResponse for 200, StaticFiles for 304; waifu2x-cunet 2x."
    )
    return _table(title, ("", "measured", "asked"), rows)


def _served(served: Served) -> Iterator[Sequence[str]]:
    where = f"{served.status}{', beside a running job' if served.beside_job else ''}"
    yield f"**{where}: answers a second, Enlarger / plain**", f"**{served.ratio:.2f}**", "≥ 0.8"
    ours, plain = median(each.per_s for each in served.ours), median(each.per_s for each in served.plain)
    yield f"{where}: answers a second, Enlarger and plain", f"{ours:.0f}, {plain:.0f}", ""
    yield f"{where}: median time of an answer, ms", f"{served.p50_ms:.2f}", "< 5"


def _tasks(findings: Findings) -> str:
    found = findings.tasks
    if found is None:
        return ""
    rows = [
        ("through one worker, s", f"{median(found.one_s):.2f}"),
        ("through eight, which share its cores, s", f"{median(found.eight_s):.2f}"),
        ("**eight are faster by**", f"**{found.ratio:.2f}**"),
    ]
    what = f"{found.pictures} pictures of {_size(found.size)} by `UpscaleManager.add_task`, waifu2x-cunet 2x to WebP."
    return _table(f"## Eight workers against one\n\n{what}", ("", "measured"), rows)


def _flat(findings: Findings) -> str:
    rows = [_flat_row(found) for found in findings.flat]
    headings = ("card", "page", "flat", "filled", "time saved", "**of the flat share**", "range", "asked")
    return _table("## Flat areas filled, not computed", headings, rows)


def _flat_row(found: FlatFindings) -> Sequence[str]:
    facts = (f"{found.model} {found.scale}x", _size(found.size), f"{found.flat_share:.1%}", f"{found.filled_share:.1%}")
    if found.problem:
        return (*facts, found.problem, "", "", "")
    lowest, highest = found.range
    asked = f"≥ {LEAST_SAVED:.0%}"
    return (*facts, f"{found.saved:.1%}", f"**{found.saved_of_flat:.0%}**", f"{lowest:.0%} to {highest:.0%}", asked)


def _held_back(findings: Findings) -> str:
    what = (
        "`ONEDNN_MAX_CPU_ISA=AVX2` holds OpenVINO's kernels to AVX2; ncnn's keep what the CPU has. "
        "* is what calibration chose there; the ratio is to the best of the others, and should be at least 0.95."
    )
    rows = [
        (each.network, name + (" *" if name == each.chosen else ""), f"{speed:.3f}", ratio)
        for each in findings.held_back
        for name, speed in sorted(each.speeds.items(), key=lambda item: -item[1])
        for ratio in [f"**{each.ratio:.2f}**" if name == each.chosen else ""]
    ]
    return _table(f"## Held to AVX2\n\n{what}", ("network", "runtime", "MP/s", "ratio"), rows)


def _halos(findings: Findings) -> str:
    rows = [(name, str(halo), shares) for name, halo, shares in findings.halos]
    title = (
        "## What a halo costs\n\nUseful share of one tile by its side in pixels; `bench/halo.py` measures halos anew."
    )
    return _table(title, ("network", "halo", "useful share"), rows)


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [headings, ["---"] * len(headings), *rows]
    return f"{title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)
