"""The bench's row of flat areas: what counts as flat, what the page has of it, and what the report says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from test_report import MACHINE

from bench.alternate import Row, Timed
from bench.flat import COMPUTED, FILLED, FlatFindings, flat_share
from bench.report import Findings, markdown
from bench.subjects import Studio
from enlarger.pictures import decode


def found(filled: tuple[float, ...], computed: tuple[float, ...], problem: str = "") -> FlatFindings:
    timed = (Timed(Row(FILLED, "bf16", 100), filled, problem), Timed(Row(COMPUTED, "bf16", 100), computed))
    return FlatFindings("waifu2x-cunet", 2, (1400, 2000), 0.25, 0.3, timed)


def test_flat_are_blocks_of_one_colour_with_all_that_is_around_them() -> None:
    pixels = np.zeros((640, 640, 3), np.uint8)
    assert flat_share(pixels) == 1
    pixels[64 + 17, 320] = 1  # within 18 px of the blocks above, and in one of its own
    assert flat_share(pixels) == pytest.approx(1 - 4 / 100)
    pixels[:, :, 1] = np.arange(640)[:, np.newaxis] % 256
    assert flat_share(pixels) == 0


def test_saved_is_told_of_each_round_and_of_the_flat_share() -> None:
    findings = found((8.0, 7.0, 9.0), (10.0, 10.0, 10.0))
    assert findings.saved == pytest.approx(0.2)
    assert findings.saved_of_flat == pytest.approx(0.8)
    assert findings.range == pytest.approx((0.4, 1.2))


def test_the_report_has_a_row_or_the_reason_why_not() -> None:
    page = markdown(
        Findings(MACHINE, quick=False, flat=(found((8.0,), (10.0,)), found((), (10.0,), "failed: no memory")))
    )
    rows = [line for line in page.splitlines() if "1400 x 2000" in line]
    assert re.search(r"25\.0% \| 30\.0% \| 20\.0% \| \*\*80%\*\* \| 80% to 80% \| ≥ 80%", rows[0])
    assert "failed: no memory" in rows[1]


def test_the_cleaned_page_has_margins_of_white(tmp_path: Path) -> None:
    page = Studio(tmp_path).cleaned_page(0, (700, 1000))
    pixels = decode(page.data, name=page.name).pixels
    assert (pixels[:60] == 255).all()
    assert pixels[100:900, 100:600].std() > 40
