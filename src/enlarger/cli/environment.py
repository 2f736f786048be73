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
        name = "_".join(str(part).upper() for part in first["loc"])
        variable = name if name in os.environ else f"ENLARGER_{name}"  # a setting with two names says which it was
        raise RecipeError(
            msg("{variable}: “{value}” is not understood.", variable=variable, value=first["input"]),
            msg("Correct the variable or unset it; docs/settings.md explains each."),
        ) from error
