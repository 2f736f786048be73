"""Every sentence a person sees: English in the source, other languages from gettext catalogues.

A `Message` keeps its English template and its facts apart, so that one error can be shown in
Chinese to one client and in English to another. Catalogues are plain `.po` files, read once.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
_LOCALE_DIR = Path(__file__).parent / "locale"


@dataclass(frozen=True)
class Message:
    """A template with named `{facts}`; `str()` gives it in the process's language."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str | None = None) -> str:
        """The sentence in `language` ("en" or "zh"), facts filled in (nested messages too)."""
        language = language or current_language()
        facts = {k: v.text(language) if isinstance(v, Message) else v for k, v in self.facts.items()}
        return translate(self.template, language).format_map(facts)

    def __str__(self) -> str:
        return self.text()


def msg(template: str, /, **facts: object) -> Message:
    """A translatable sentence; the catalogue test collects the templates from these calls."""
    return Message(template, facts)


def translate(template: str, language: str) -> str:
    """The template in `language`, or itself when the catalogue has no such entry."""
    return _catalogue(language).get(template) or template


def current_language() -> str:
    """ENLARGER_LANGUAGE, else the locale of the process, else English."""
    return _language_of(os.environ.get("ENLARGER_LANGUAGE") or _process_locale())


def _language_of(tag: str) -> str:
    return "zh" if tag.lower().startswith(("zh", "chinese")) else "en"


def _process_locale() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    return locale.getlocale()[0] or "en"  # Windows and macOS set no variable


@cache
def _catalogue(language: str) -> dict[str, str]:
    path = _LOCALE_DIR / language / "LC_MESSAGES" / "enlarger.po"
    if language == "en" or not path.exists():
        return {}
    from babel.messages.pofile import read_po  # imported late: only Chinese readers pay for it

    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id and m.string}
