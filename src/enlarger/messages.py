"""Every sentence a person sees: English in the source, other languages from gettext catalogues.

A `Message` keeps its English template and its facts apart, so that one error can be shown in
Chinese to one client and in English to another. Catalogues are plain `.po` files, read once.
"""

from __future__ import annotations

import json
import locale
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
_LOCALE_DIR = Path(__file__).parent / "locale"
_QUOTED = r'((?:[ \t]*".*"[ \t]*\n?)+)'
_ENTRY = re.compile(rf"^msgid{_QUOTED}^msgstr{_QUOTED}", re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """A template with named `{facts}`; `str()` gives it in the process's language."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)  # equal messages still have one hash

    def text(self, language: str | None = None) -> str:
        """The sentence in `language` ("en" or "zh"), facts filled in (nested messages too)."""
        language = language or current_language()
        facts = {k: v.text(language) if isinstance(v, Message) else v for k, v in self.facts.items()}
        return translate(self.template, language).format_map(facts)

    def as_json(self) -> dict[str, Any]:
        """Template and facts apart, so that what is stored can be told in any language later."""
        return {"template": self.template, "facts": {name: _plain(value) for name, value in self.facts.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Message:
        """The reverse of `as_json`."""
        facts = value["facts"].items()
        return cls(value["template"], {k: cls.from_json(v) if isinstance(v, Mapping) else v for k, v in facts})

    def __str__(self) -> str:
        return self.text()


def _plain(value: object) -> Any:
    if isinstance(value, Message):
        return value.as_json()
    return value if isinstance(value, int | float | str) else str(value)


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
    return read_po(path.read_text("utf-8"))


def read_po(text: str) -> dict[str, str]:
    """Templates and their translations, from a catalogue as `scripts.messages` writes it: no plurals, no contexts.

    A reader of its own, because babel's takes longer than a short command.
    """
    entries = ((_unquoted(template), _unquoted(translation)) for template, translation in _ENTRY.findall(text))
    return {template: translation for template, translation in entries if template and translation}


def _unquoted(lines: str) -> str:
    # gettext's escapes, as far as babel writes them, are JSON's; not splitlines, which knows more ends than \n
    return "".join(json.loads(line, strict=False) for line in lines.split("\n") if line)
