"""Help pages that go on in the next line where a sentence without spaces is longer than its column."""

from __future__ import annotations

from rich.text import Text
from typer import rich_utils


class _Folding(rich_utils.OptionHighlighter):
    """What typer passes every text of a help page through: colours, and now how it may be broken."""

    def highlight(self, text: Text) -> None:
        super().highlight(text)
        text.overflow = "fold"


def fold_help() -> None:
    """From now on in this process. A Chinese sentence is one word to rich, and typer's tables would end it with "…"."""
    rich_utils.highlighter = _Folding()
