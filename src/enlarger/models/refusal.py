"""The one way importers say that weights cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from enlarger.errors import WeightsRefusedError
from enlarger.messages import Message, msg


def refusal(name: str, reason: Message, remedy: Message | None = None) -> WeightsRefusedError:
    """The error to raise: `name` is the file, `reason` a clause without a full stop."""
    return WeightsRefusedError(
        msg("{name}: these weights cannot be used: {reason}.", name=name, reason=reason), remedy or _FETCH_AGAIN
    )


@contextmanager
def not_added() -> Iterator[None]:
    """While a person's own file is looked at: what is to be done is never to fetch it again."""
    try:
        yield
    except WeightsRefusedError as error:
        if error.remedy == _FETCH_AGAIN:
            raise WeightsRefusedError(error.message, _NOT_ADDED) from error
        raise


_FETCH_AGAIN = msg("Delete the file and fetch it again with `enlarger models pull`, or choose another model.")
_NOT_ADDED = msg("Nothing was added. If the file is whole, export the model again as ONNX and add that.")
