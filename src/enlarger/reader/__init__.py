"""The reader: the shelf, what is open and where in it, which pages are wanted first, and what each of them gets."""

from enlarger.reader.events import PageChanged, ReaderChanged, ReaderEvent, ReaderListener
from enlarger.reader.facts import PageFacts
from enlarger.reader.hint import Hint
from enlarger.reader.json_forms import as_json, rules_from_json
from enlarger.reader.look_ahead import LookAhead
from enlarger.reader.lookup import Found
from enlarger.reader.matching import Check, RuleTrace
from enlarger.reader.options import ReaderOptions
from enlarger.reader.page_queue import Lane
from enlarger.reader.page_state import PageState, PageStatus, RuleName, url_of
from enlarger.reader.presets import Preset, presets
from enlarger.reader.reader import Reader
from enlarger.reader.reader_store import Progress, ReaderStore
from enlarger.reader.requests import Preload, PreloadPage, Request, RequestPriority, Wished
from enlarger.reader.revision import RulesChangedError, revision_of
from enlarger.reader.rules import Match, Rule, RuleSet, Treatment
from enlarger.reader.shelf import Shelf
from enlarger.reader.shelf_ids import printable
from enlarger.reader.shelf_index import BookIndex, Problem, ShelfPage
from enlarger.reader.shelf_intake import Arrived
from enlarger.reader.shelf_items import Item
from enlarger.reader.shelf_pages import PageRef, is_shown_by_browsers, media_type_of
from enlarger.reader.shelf_roots import Root
from enlarger.reader.stats import ReaderStats
from enlarger.reader.verdict import Verdict

__all__ = [
    "Arrived",
    "BookIndex",
    "Check",
    "Found",
    "Hint",
    "Item",
    "Lane",
    "LookAhead",
    "Match",
    "PageChanged",
    "PageFacts",
    "PageRef",
    "PageState",
    "PageStatus",
    "Preload",
    "PreloadPage",
    "Preset",
    "Problem",
    "Progress",
    "Reader",
    "ReaderChanged",
    "ReaderEvent",
    "ReaderListener",
    "ReaderOptions",
    "ReaderStats",
    "ReaderStore",
    "Request",
    "RequestPriority",
    "Root",
    "Rule",
    "RuleName",
    "RuleSet",
    "RuleTrace",
    "RulesChangedError",
    "Shelf",
    "ShelfPage",
    "Treatment",
    "Verdict",
    "Wished",
    "as_json",
    "is_shown_by_browsers",
    "media_type_of",
    "presets",
    "printable",
    "revision_of",
    "rules_from_json",
    "url_of",
]
