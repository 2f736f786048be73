"""The page says what was measured, on what, and what could not be."""

from __future__ import annotations

from pathlib import Path

from bench.alternate import Ratio, Row, Timed
from bench.contests import JPEG, RAW, Contest, Outcome, Question
from bench.held_back import HeldBack
from bench.machine import Machine
from bench.memory import Spent
from bench.peaks import Peak
from bench.report import Findings, markdown
from bench.resident import Residence, Series
from bench.subjects import Subject
from enlarger.enhance import PassFacts

MACHINE = Machine("A CPU", ("AVX2",), 2, 24 * 2**30, "Linux x86_64", "3.11.7", ("openvino 1",), "2026-01-02", 0.25)
FACTS = PassFacts("V", "digest", "openvino", "cpu", "bf16", (704, 736), 6, 0.9006, 5.0)


def outcome() -> Outcome:
    page = Subject("page", Path("page.jpg"), (1400, 2000))
    contest = Contest("road", "waifu2x-cunet", 2, 1, "pages", [page])
    timed = (
        Timed(Row(JPEG, "bf16", 5_600_000, pictures=2), (10.0, 14.0, 20.0)),
        Timed(Row("onnxruntime fp32", "fp32", 1), problem="not here"),
    )
    return Outcome(contest, FACTS, 18, timed, ((Question(JPEG, RAW, "≥ 0.85"), Ratio(0.91, 0.88, 0.93, 3)),))


def test_rows_name_their_dtype_and_what_they_lack() -> None:
    page = markdown(Findings(MACHINE, quick=False, outcomes=(outcome(),)))
    title = "waifu2x-cunet 2x noise 1, pages"
    assert f"| {title} | {JPEG}, openvino:cpu | bf16 | 0.400 | 0.560 | 7.00 |" in page
    assert f"| {title} | onnxruntime fp32 | fp32 | not here |" in page
    assert f"| {title} | {JPEG} / {RAW} | **0.91** | 0.88 to 0.93 | 3 | ≥ 0.85 |" in page
    assert f"| {title} | 1400 x 2000 | 736 x 704 | 6 | 18 | 90.1% | ≥ 85 % |" in page


def test_the_machine_and_the_day_are_on_it() -> None:
    page = markdown(Findings(MACHINE, quick=False))
    for fact in ("A CPU, 2 cores, AVX2, 24 GiB", "2026-01-02", "load 0.2", "openvino 1", "with 2 threads"):
        assert fact in page


def test_the_summary_is_in_chinese_too() -> None:
    page = markdown(Findings(MACHINE, quick=False, outcomes=(outcome(),)))
    (line,) = [line for line in page.splitlines() if "裸会话" in line]
    assert "0.91 倍" in line
    assert "漫画页" in line
    assert "90%" in line


def test_a_quick_run_owns_up() -> None:
    assert "mean nothing" in markdown(Findings(MACHINE, quick=True))
    assert "mean nothing" not in markdown(Findings(MACHINE, quick=False))


def test_resident_and_memory() -> None:
    residence = Residence(3, (700, 1000), Series((4.0, 1.0, 1.0), 10**9), Series((6.0, 3.0, 3.0), 10**9))
    peaks = (Peak("photograph", (8000, 6000), Spent(97.0, 1_900_000_000)), Peak("page", (1, 1), None, "exit code 1"))
    page = markdown(Findings(MACHINE, quick=False, residence=residence, peaks=peaks))
    assert "| **resident is faster by** | **1.50** | **3.00** | **2.00** |" in page
    assert "| photograph | 8000 x 6000 | **1.90** | 97.0 |" in page
    assert "exit code 1" in page


def test_what_was_not_measured_has_no_section() -> None:
    headings = [line for line in markdown(Findings(MACHINE, quick=False)).splitlines() if line.startswith("## ")]
    assert headings == ["## The machine", "## How it was measured"]


def test_what_calibration_chose_under_avx2_is_beside_the_others() -> None:
    speeds = {"openvino:cpu fp32": 0.1, "ncnn:cpu fp32": 0.2}
    page = markdown(Findings(MACHINE, quick=False, outcomes=(), held_back=(HeldBack("N", speeds, "ncnn:cpu fp32"),)))
    assert "| N | ncnn:cpu fp32 * | 0.200 | **2.00** |" in page
    assert "| N | openvino:cpu fp32 | 0.100 |  |" in page
