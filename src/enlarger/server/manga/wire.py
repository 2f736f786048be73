"""What goes over the wire: camelCase in and out, snake_case taken too."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DEFAULT_MODEL = "RealESRGAN_x4plus_anime_6B"

Status = Literal["PENDING", "RUNNING", "SUCCESS", "FAILED"]
InputType = Literal["folder", "zip"]


def _text(value: str) -> str:
    value.encode()  # JSON can say half a surrogate pair, no file and no database can; the error is a ValueError
    return value


Text = Annotated[str, Field(min_length=1), AfterValidator(_text)]


class Wire(BaseModel):
    """A body of this contract."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class JobInput(Wire):
    """Where the pages are."""

    type: InputType = Field("folder", description="A folder of pictures, or one archive of them.")
    path: Text = Field(
        description="Looked up below the storage root, then below its `incoming/`.", examples=["incoming/rei-vol-01"]
    )


class JobParams(Wire):
    """What is done to the pages; clients leave out what equals the default."""

    scale: int = Field(2, ge=1, le=4, description="Enlargement.")
    model: Text = Field(DEFAULT_MODEL, description="A model's name or alias, in any case; see `GET /models`.")
    denoise: Literal["low", "medium", "high"] = Field("medium", description="How much noise is taken away.")
    output_format: Literal["jpg", "png", "webp"] = Field("jpg", description="The pages' format.")
    jpeg_quality: int = Field(95, ge=1, le=100, description="Quality of jpg and webp.")
    tile_size: int | None = Field(None, ge=32, le=1024, description="Side of a tile in pixels; null: planned.")
    tile_pad: int | None = Field(None, ge=0, le=128, description="Surroundings of a tile; null: what the model needs.")
    batch_size: int | None = Field(None, ge=1, le=16, description="Most tiles computed together; null: one.")
    device: Literal["auto", "cuda", "cpu"] = Field("auto", description="Where it runs; without CUDA, on what is there.")


class JobCreate(Wire):
    """A job to be."""

    title: Text = Field(examples=["Rei-chan"])
    volume: Text = Field(examples=["Vol. 1"])
    input: JobInput
    params: JobParams = Field(default_factory=JobParams)


class JobSubmitted(Wire):
    """The job's id, once it is stored."""

    job_id: str = Field(examples=["6f0c2f0e-6f0b-4f5e-9d7a-0c8f6f1f4a11"])


class JobResume(Wire):
    """Another source for what is still to be done; both may be left out."""

    input_path: Text | None = None
    input_type: InputType | None = None


class Metadata(Wire):
    """What the volume is called."""

    title: str
    volume: str


class JobState(Wire):
    """A job as it stands: the answer of most calls, and every message of the WebSocket."""

    job_id: str
    status: Status
    processed: int = Field(description="Pages that need nothing more, failed ones included.")
    total: int = Field(description="0 until the input has been listed.")
    artifact_path: str | None = Field(None, description="Relative to the storage root.")
    message: str | None = None
    retries: int = 0
    last_error: str | None = None
    artifact_hash: str | None = Field(None, description="SHA-256 of the artifact, hex.")
    params: JobParams | None = None
    metadata: Metadata | None = None


class JobList(Wire):
    """Jobs, the newest first; `next` is given back as `before` for the page after this one."""

    jobs: list[JobState]
    next: str | None = None


class JobReport(Wire):
    """How a job ended."""

    job_id: str
    status: Status
    artifact_path: str | None
    artifact_hash: str | None
    retries: int
    last_error: str | None
    message: str | None


class Problem(BaseModel):
    """Why not."""

    detail: str


class ModelEntry(BaseModel):
    """A model that `params.model` may name; snake_case, as the original had it."""

    name: str
    scale: int = Field(description="What one pass of its network gives at most.")
    recommended_scale: float
    weights: str = Field(description="The file it is made from.")
    download_url: str = Field(description="That file where its authors publish it, else their project.")


class ModelList(BaseModel):
    """All models."""

    models: list[ModelEntry]


class ModelStatus(BaseModel):
    """What the photo service's clients look at."""

    initialized: bool = Field(description="A worker is ready.")
    cuda_available: bool
    device: str = Field(description='What the open models run on, "cpu" before the first.')


class Health(BaseModel):
    """The keys of the manga service and of the photo service together."""

    status: Literal["healthy"] = "healthy"
    active_jobs: int
    registered_jobs: int
    default_model: str
    max_concurrency: int
    storage_root: str
    timestamp: str
    active_tasks: int
    model_status: ModelStatus
