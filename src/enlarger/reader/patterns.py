"""People's regular expressions, run in time linear in the text (RE2), each compiled once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

from enlarger.errors import BadRuleError
from enlarger.messages import msg

_MOST_KEPT = 1024
_MOST_LENGTH = 10_000
_MOST_BYTES = 1 << 19  # of RE2's memory, a pattern
_MOST_STEPS = 10_000  # of a pattern's program, looked at for each character: 20 ms a path of 500, 0.2 s one of 4000
_MOST_STEPS_TOGETHER = 20_000  # of all rules' patterns


class _Compiled(Protocol):
    @property
    def programsize(self) -> int: ...

    def search(self, text: str) -> object: ...


class Patterns:
    """Compiled patterns by their text, bad ones too; thread-safe. Counts how often one was at hand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Compiled | BadRuleError] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def found(self, pattern: str, text: str) -> bool:
        """Whether the pattern occurs anywhere in the text; raises BadRuleError for one that cannot be understood."""
        compiled = self._compiled(pattern)
        if isinstance(compiled, BadRuleError):
            raise compiled.with_traceback(None)
        return compiled.search(_encodable(text)) is not None

    def check(self, pattern: str) -> None:
        """Raises BadRuleError for a pattern that cannot be understood."""
        self.found(pattern, "")

    def check_together(self, patterns: Iterable[str]) -> None:
        """Raises BadRuleError for patterns that would take too long together; bad ones take no time."""
        compiled = map(self._compiled, patterns)
        steps = sum(0 if isinstance(each, BadRuleError) else each.programsize for each in compiled)
        if steps > _MOST_STEPS_TOGETHER:
            raise BadRuleError(
                msg("The patterns of all rules are too much together: {steps} steps.", steps=steps),
                msg("Use fewer or simpler ones, with {most} steps at most.", most=_MOST_STEPS_TOGETHER),
            )

    def _compiled(self, pattern: str) -> _Compiled | BadRuleError:
        with self._lock:
            known = self._known.get(pattern)
            if known is not None:
                self.hits += 1
                self._known.move_to_end(pattern)
                return known
            self.misses += 1
        compiled = _compile(pattern)  # not under the lock: it may take a while
        with self._lock:
            self._known[pattern] = compiled
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        return compiled


def _compile(pattern: str) -> _Compiled | BadRuleError:
    import re2

    options = re2.Options()
    options.log_errors = False  # what is wrong goes to the person, not to the console
    options.max_mem = _MOST_BYTES
    if len(pattern) > _MOST_LENGTH:
        return _bad(pattern[:40] + "…", str(msg("longer than {most} characters", most=_MOST_LENGTH)))
    try:
        compiled: _Compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        return _bad(_encodable(pattern), _reason(error))
    if compiled.programsize > _MOST_STEPS:
        return _bad(pattern, str(msg("it would take too long")))
    return compiled


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _bad(pattern: str, reason: str) -> BadRuleError:
    return BadRuleError(
        msg("“{pattern}” is not a regular expression that can be used ({reason}).", pattern=pattern, reason=reason),
        msg("Correct it; the syntax is RE2's, which has no look-around and no back-references."),
    )


def _encodable(text: str) -> str:
    """Names that are no valid text come with halves of surrogate pairs, which RE2 cannot be given."""
    return text.encode("utf-8", "replace").decode()
