"""Which rules an editor began from: two that are open at once must not overwrite each other unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from enlarger.errors import EnlargerError
from enlarger.messages import msg
from enlarger.reader.json_forms import as_json
from enlarger.reader.rules import RuleSet


class RulesChangedError(EnlargerError):
    """The rules are others than those that were edited."""

    code = "rules_changed"


def revision_of(rules: RuleSet) -> str:
    """Names what the rules say: the same rules, the same name."""
    return hashlib.sha256(json.dumps(as_json(rules), sort_keys=True).encode()).hexdigest()[:32]


def check_revision(rules: RuleSet, over: Collection[str] | None) -> None:
    """Raises RulesChangedError where the rules in force are none of those revisions; None: whatever they are."""
    if over is not None and revision_of(rules) not in over:
        raise RulesChangedError(
            msg("The rules were changed by somebody else meanwhile."),
            msg("Load them again and make your change there, or save yours over them."),
        )
