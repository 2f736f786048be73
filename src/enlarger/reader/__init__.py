"""The reader: what is open and where in it, which pages are wanted first, and what each of them gets."""

from enlarger.reader.facts import PageFacts
from enlarger.reader.matching import Check, RuleTrace
from enlarger.reader.patterns import Patterns
from enlarger.reader.reader_store import Progress, ReaderStore
from enlarger.reader.rules import Match, Rule, RuleSet, Treatment
from enlarger.reader.shelf import Shelf
from enlarger.reader.shelf_folder import printable
from enlarger.reader.shelf_index import BookIndex, Problem, ShelfPage
from enlarger.reader.shelf_items import Item
from enlarger.reader.shelf_pages import PageRef, is_shown_by_browsers, media_type_of
from enlarger.reader.shelf_roots import Root
from enlarger.reader.verdict import Verdict, judge

__all__ = [
    "BookIndex",
    "Check",
    "Item",
    "Match",
    "PageFacts",
    "PageRef",
    "Patterns",
    "Problem",
    "Progress",
    "ReaderStore",
    "Root",
    "Rule",
    "RuleSet",
    "RuleTrace",
    "Shelf",
    "ShelfPage",
    "Treatment",
    "Verdict",
    "is_shown_by_browsers",
    "judge",
    "media_type_of",
    "printable",
]
