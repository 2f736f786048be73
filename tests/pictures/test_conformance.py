"""The tables of docs/formats.md are what is true now; `ENLARGER_WRITE_DOCS=1 pytest` on this file writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conformance import MADE, NONE, PICTURES, reading, tables, writing

from enlarger.pictures import FORMATS

DOC = Path(__file__).parents[2] / "docs" / "formats.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->"


def test_the_document_says_what_is_true() -> None:
    text = DOC.read_text("utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    current = f"{before}{BEGIN}\n{tables()}\n{END}{after}"
    if os.environ.get("ENLARGER_WRITE_DOCS"):
        DOC.write_text(current, "utf-8")
        return
    assert text == current, "run it with ENLARGER_WRITE_DOCS=1, and read what changed"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("prop", PICTURES)
def test_what_is_written_is_kept_or_the_loss_is_told(prop: str, kind: str) -> None:
    assert writing(prop, kind) != NONE


@pytest.mark.parametrize(
    ("prop", "kind"), [(prop, kind) for prop, (_, kinds) in MADE.items() for kind in sorted(kinds)]
)
def test_what_another_library_wrote_is_read_or_the_loss_is_told(prop: str, kind: str) -> None:
    assert reading(prop, kind) != NONE
