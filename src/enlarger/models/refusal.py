"""The one way importers say that weights cannot be used."""

from __future__ import annotations

from enlarger.errors import WeightsRefusedError
from enlarger.messages import Message, msg


def refusal(name: str, reason: Message, remedy: Message | None = None) -> WeightsRefusedError:
    """The error to raise: `name` is the file, `reason` a clause without a full stop."""
    return WeightsRefusedError(
        msg("{name}: these weights cannot be used: {reason}.", name=name, reason=reason),
        remedy or msg("Delete the file and fetch it again with `enlarger models pull`, or choose another model."),
    )
