"""An error as it is stored: code, sentence and remedy, still to be told in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from enlarger.errors import EnlargerError, UnexpectedError
from enlarger.messages import Message, msg


@dataclass(frozen=True)
class Failure:
    """What went wrong with a page or a job."""

    code: str
    message: Message
    remedy: Message | None = None

    @classmethod
    def of(cls, error: EnlargerError) -> Failure:
        """The error without its traceback."""
        return cls(error.code, error.message, error.remedy)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Failure:
        """The reverse of `as_json`."""
        message, remedy = Message.from_json(value["message"]), value.get("remedy")
        return cls(value["code"], message, None if remedy is None else Message.from_json(remedy))

    def as_json(self) -> dict[str, Any]:
        """Templates and facts apart, so that it can be told in Chinese to one client and in English to another."""
        remedy = None if self.remedy is None else self.remedy.as_json()
        return {"code": self.code, "message": self.message.as_json(), "remedy": remedy}

    def as_error(self) -> EnlargerError:
        """An error of the kind it was, for those who raise."""
        return _kinds().get(self.code, UnexpectedError)(self.message, self.remedy)

    def text(self, language: str | None = None) -> str:
        """Sentence and remedy in `language`."""
        if self.remedy is None:
            return self.message.text(language)
        return msg("{first} {second}", first=self.message, second=self.remedy).text(language)


@cache
def _kinds() -> Mapping[str, type[EnlargerError]]:
    kinds = [EnlargerError]
    for kind in kinds:  # grows while it is walked: subclasses of subclasses
        kinds.extend(kind.__subclasses__())
    return {kind.code: kind for kind in kinds}
