"""The settings of this process, with a sentence for a variable that cannot be understood."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from enlarger.errors import RecipeError
from enlarger.messages import msg

if TYPE_CHECKING:
    from enlarger.settings import Settings


def load_settings() -> Settings:
    """Settings from ENLARGER_* variables; raises RecipeError, which names the variable."""
    from pydantic import ValidationError

    from enlarger.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = _variable(str(first["loc"][0]))
        raise RecipeError(
            msg("{variable}: “{value}” is not understood.", variable=variable, value=first["input"]),
            msg("Correct the variable or unset it; docs/settings.md explains each."),
        ) from error


def _variable(name: str) -> str:
    """The variable that was set, for a setting's name or one of its variables as pydantic gives it."""
    from pydantic import AliasChoices

    from enlarger.settings import Settings

    fields = Settings.model_fields.values()
    choices = [field.validation_alias.choices for field in fields if isinstance(field.validation_alias, AliasChoices)]
    also = next((names for names in choices if name in names), [f"ENLARGER_{name.upper()}"])
    return next((str(each) for each in also if each in os.environ), str(also[0]))
