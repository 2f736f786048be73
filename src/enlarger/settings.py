"""One frozen settings object, read from ENLARGER_* variables when it is made, never at import."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from pydantic import AliasChoices, ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from enlarger.errors import InputError
from enlarger.messages import msg

_APP = "enlarger"


class Settings(BaseSettings):
    """All that a person may set. Every field is documented in docs/settings.md (a test compares)."""

    model_config = SettingsConfigDict(env_prefix="ENLARGER_", frozen=True, extra="forbid", populate_by_name=True)

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
    spool_max_bytes: ByteSize = Field(
        ByteSize(8 * 1024**3), description="What archives that must be unpacked as a whole (7z, solid rar) may take."
    )
    pdf_dpi: int = Field(
        200, ge=36, le=1200, description="Resolution of PDF pages that are not one picture, in dots per inch."
    )
    max_megapixels: float = Field(256.0, gt=0, description="Pictures with more pixels are refused before decoding.")
    memory_budget: ByteSize | None = Field(
        None, description="Memory one session's tiles may use; empty: a share of what the container allows."
    )
    spare_flat: bool = Field(
        True,
        description="Areas of one colour are filled with what the model gives for it; off: computed like the rest.",
    )
    threads: int = Field(0, ge=0, description="Threads for inference; 0: all cores that the process may use.")
    vulkan: bool = Field(True, description="Look for GPUs through Vulkan; off, for drivers that do harm.")
    mirror: str = Field("", description="Base URL put in place of the host of weights fetched by URL.")
    proxy: str = Field("", description="HTTP proxy for weights; empty: the usual proxy variables.")
    offline: bool = Field(False, description="Never fetch weights on first use.")

    storage_dir: Path = Field(
        Path("storage"),
        validation_alias=AliasChoices("ENLARGER_STORAGE_DIR", "REICHAN_STORAGE_ROOT"),
        description="The server's storage root: the ledger of jobs, what comes in, and what comes out.",
    )
    model_root: Path | None = Field(
        None,
        validation_alias=AliasChoices("ENLARGER_MODEL_ROOT", "REICHAN_MODEL_ROOT"),
        description="Where the server also looks for weights; empty: `models` in the storage root.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=64,
        validation_alias=AliasChoices("ENLARGER_WORKERS", "REICHAN_MAX_CONCURRENCY"),
        description="Worker processes; they share the cores.",
    )
    devices: str = Field(
        "",
        description="Devices of the server's workers, separated by commas, a worker each at least; empty: the fastest.",
    )
    preload: str = Field("", description="Models that workers open when they start, separated by commas.")
    worker_growth_bytes: ByteSize = Field(
        ByteSize(2 * 1024**3), description="A worker that grew by more than this is replaced between two pages."
    )
    idle_unload_s: float = Field(300.0, ge=0, description="Seconds without work after which a worker's models unload.")
    min_free_bytes: ByteSize = Field(
        ByteSize(256 * 1024**2), description="With less room on the disk jobs pause, and go on when there is more."
    )
    keep_jobs_days: float = Field(0.0, ge=0, description="Finished jobs are deleted after so many days; 0: never.")
    keep_jobs_bytes: ByteSize = Field(
        ByteSize(0), description="The oldest finished jobs are deleted beyond this total; 0: no limit."
    )
    max_waiting_jobs: int = Field(1000, ge=1, description="More unfinished jobs than this are refused for the moment.")
    max_upload_bytes: ByteSize = Field(ByteSize(4 * 1024**3), description="Larger uploads are refused.")
    allowed_dirs: str = Field(
        "", description="Folders outside the storage root that clients may name, separated like PATH."
    )
    token: SecretStr = Field(SecretStr(""), description="What clients must send when the server is not on loopback.")
    token_file: Path | None = Field(None, description="A file with that token, instead of the variable.")
    allowed_hosts: str = Field(
        "", description="Names the server may be called by besides its address, separated by commas; `*`: any."
    )
    cors_origins: str = Field(
        "",
        validation_alias=AliasChoices("ENLARGER_CORS_ORIGINS", "CORS_ORIGINS"),
        description="Other origins whose pages may call the server, separated by commas.",
    )
    result_quality: int = Field(90, ge=1, le=100, description="Quality of the WebP that `UpscaleManager` gives.")
    result_lossless: bool = Field(False, description="`UpscaleManager` gives lossless WebP.")
    json_logs: bool = Field(False, description="The server's log as JSON, one object a line.")

    @property
    def models_dir(self) -> Path:
        """Weights as fetched or handed in."""
        return self.data_dir / "models"

    @property
    def weight_dirs(self) -> tuple[Path, ...]:
        """Where the authors' files of weights are looked for, the first one first."""
        return (self.models_dir,) if self.model_root is None else (self.models_dir, self.model_root)

    @property
    def graphs_dir(self) -> Path:
        """ONNX graphs, made once from weights."""
        return self.data_dir / "graphs"

    @property
    def renders_dir(self) -> Path:
        """The cache of finished renders."""
        return self.cache_dir / "renders"

    @property
    def spool_dir(self) -> Path:
        """Archives unpacked for reading."""
        return self.cache_dir / "spool"

    @property
    def digests_dir(self) -> Path:
        """Digests of large files, remembered by path, size and time."""
        return self.cache_dir / "digests"

    @property
    def thumbnails_dir(self) -> Path:
        """Small pictures of the shelf's pages."""
        return self.cache_dir / "thumbnails"

    @property
    def compiled_dir(self) -> Path:
        """Runtimes' compiled graphs."""
        return self.cache_dir / "compiled"

    def read_token(self) -> str:
        """The token, from its variable or its file; "" where neither says one. Raises InputError."""
        if self.token.get_secret_value() or self.token_file is None:
            return self.token.get_secret_value()
        try:
            token = self.token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                msg("{path}: the token cannot be read ({reason}).", path=self.token_file, reason=error),
                msg("Name a text file that holds nothing but the token, and that Enlarger may read."),
            ) from error
        if not token:
            raise InputError(
                msg("{path}: there is no token in this file.", path=self.token_file),
                msg("Write one into it, for example with: openssl rand -hex 32"),
            )
        return token

    def for_server(self) -> Settings:
        """The same with what follows from the storage root filled in: `model_root`."""
        root = self.model_root or self.storage_dir / "models"
        return self.model_copy(update={"model_root": root.absolute()})

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The names in `devices`, dealt out to workers in turn; "auto" without any. One may be named twice."""
        return tuple(name.strip() for name in self.devices.split(",") if name.strip()) or ("auto",)

    @property
    def preloaded_models(self) -> tuple[str, ...]:
        """The names in `preload`."""
        return _split(self.preload, ",")

    @property
    def allowed_folders(self) -> tuple[Path, ...]:
        """The folders in `allowed_dirs`, absolute."""
        return tuple(Path(folder).expanduser().absolute() for folder in _split(self.allowed_dirs, os.pathsep))

    @property
    def host_names(self) -> tuple[str, ...]:
        """The names in `allowed_hosts`, in lower case as host names are compared."""
        return tuple(name.lower() for name in _split(self.allowed_hosts, ","))

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins in `cors_origins`, as browsers send them: in lower case, without a slash at the end."""
        return tuple(origin.lower().rstrip("/") for origin in _split(self.cors_origins, ","))


def _split(text: str, separator: str) -> tuple[str, ...]:
    parts = (part.strip() for part in text.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))
