"""One frozen settings object, read from ENLARGER_* variables when it is made, never at import."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_APP = "enlarger"


class Settings(BaseSettings):
    """All that a person may set. Every field is documented in docs/settings.md (a test compares)."""

    model_config = SettingsConfigDict(env_prefix="ENLARGER_", frozen=True, extra="forbid")

    language: str = Field("", description="Language of messages, `en` or `zh`; empty: the locale's.")
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path(_APP, appauthor=False),
        description="Weights, graphs and calibration.",
    )
    cache_dir: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path(_APP, appauthor=False),
        description="Finished renders, journals and compiled graphs; may be deleted at any time.",
    )
    cache_max_bytes: ByteSize = Field(
        ByteSize(20 * 1024**3), description="Renders beyond this are dropped, oldest use first."
    )
    max_megapixels: float = Field(256.0, gt=0, description="Pictures with more pixels are refused before decoding.")
    memory_budget: ByteSize | None = Field(
        None, description="Memory one session's tiles may use; empty: a share of what the container allows."
    )
    threads: int = Field(0, ge=0, description="Threads for inference; 0: all cores that the process may use.")
    mirror: str = Field("", description="Base URL put in place of the host of weights fetched by URL.")
    proxy: str = Field("", description="HTTP proxy for weights; empty: the usual proxy variables.")
    offline: bool = Field(False, description="Never fetch weights on first use.")

    @property
    def models_dir(self) -> Path:
        """Weights as fetched or handed in."""
        return self.data_dir / "models"

    @property
    def graphs_dir(self) -> Path:
        """ONNX graphs, made once from weights."""
        return self.data_dir / "graphs"

    @property
    def renders_dir(self) -> Path:
        """The cache of finished renders."""
        return self.cache_dir / "renders"

    @property
    def compiled_dir(self) -> Path:
        """Runtimes' compiled graphs."""
        return self.cache_dir / "compiled"
