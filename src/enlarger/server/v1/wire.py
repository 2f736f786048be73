"""The API's JSON: camelCase throughout, times in Unix seconds, errors with a code, a sentence and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from enlarger.jobs import JobState, PageState

PriorityName = Literal["reading", "ahead", "interactive", "volume", "indexing"]
Container = Literal["zip", "cbz"]
T = TypeVar("T")

EXAMPLE_ID = "0b6f3c1e-8c0d-4a53-9a3e-0c5b8f7d2a11"
Sha256 = Annotated[str, Field(description="SHA-256 in hex.", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"])]
Seconds = Annotated[float, Field(description="Unix seconds.", examples=[1795320000.5])]


class Wire(BaseModel):
    """What goes out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Problem(Wire):
    """An error (RFC 9457). `code` is for programs, `detail` and `remedy` are for people, in Accept-Language."""

    type: str = Field(examples=["urn:enlarger:problem:unknown_job"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such job."])
    code: str = Field(examples=["unknown_job"])
    remedy: str | None = Field(None, examples=["The list of jobs shows those there are."])
    errors: list[FieldError] | None = Field(None, description="For what does not validate: each field that is wrong.")


class FieldError(Wire):
    """A field that is wrong, and why."""

    field: str = Field(examples=["scale"])
    message: str = Field(examples=["Input should be greater than or equal to 1"])


class Told(Wire):
    """Why a job or a page failed or waits, told in Accept-Language."""

    code: str = Field(examples=["bad_picture"])
    message: str = Field(examples=["003.jpg: this is no picture, or a broken one."])
    remedy: str | None = None


class CountsView(Wire):
    """Pages by what became of them; `total` is 0 until the source has been listed."""

    total: int = Field(examples=[200])
    done: int = Field(examples=[57])
    failed: int = Field(examples=[1])
    cancelled: int = Field(examples=[0])


class ArtifactView(Wire):
    """The finished archive; `path` is below the storage root."""

    path: str = Field(examples=[f"artifacts/berserk-01-{EXAMPLE_ID}.zip"])
    sha256: Sha256
    bytes: int = Field(examples=[183_500_800])
    url: str = Field(examples=[f"/v1/jobs/{EXAMPLE_ID}/artifact"])


class SourceView(Wire):
    """Where the pages come from; `path` is below the storage root where it lies there."""

    kind: Literal["folder", "pictures", "archive", "picture"]
    path: str = Field(examples=["incoming/berserk-01.cbz"])


class JobView(Wire):
    """A job as it stands."""

    id: str = Field(examples=[EXAMPLE_ID])
    state: JobState
    title: str = Field(examples=["Berserk"])
    volume: str = Field(examples=["01"])
    priority: PriorityName
    device: str = Field(examples=["auto"])
    packs: bool = Field(description="Whether an archive is made of the pages at the end.")
    container: Container = Field(description="What the archive is, or would be.")
    transient: bool = Field(description="Deleted with its output soon after its end, and not listed.")
    source: SourceView
    recipe: Mapping[str, Any] = Field(description="Everything that decides the pixels, resolved.")
    counts: CountsView
    created_at: Seconds
    updated_at: Seconds
    started_at: Seconds | None = None
    finished_at: Seconds | None = None
    reason: Told | None = Field(None, description="Why it is paused or failed.")
    retries: int = Field(examples=[0])
    artifact: ArtifactView | None = None
    last_event: int = Field(description="The number of its newest event.", examples=[61])


class PageView(Wire):
    """A page of a job, and what became of it."""

    position: int = Field(description="From 0, in reading order.", examples=[2])
    name: str = Field(description="Its path inside the source.", examples=["chapter 1/003.jpg"])
    state: PageState
    attempt: int = Field(examples=[1])
    output: str | None = Field(None, description="Its path inside the output.", examples=["chapter 1/003.jpg"])
    bytes: int | None = None
    input_sha256: Sha256 | None = None
    output_sha256: Sha256 | None = None
    seconds: float | None = Field(None, description="What it took, decoding and encoding included.")
    computed: bool | None = Field(None, description="False: it was in the cache.")
    facts: Mapping[str, Any] | None = Field(None, description="How it was made: runtime, device, dtype, tiles, graphs.")
    error: Told | None = None
    url: str | None = Field(None, examples=[f"/v1/jobs/{EXAMPLE_ID}/pages/2/image"])


class Listed(Wire, Generic[T]):
    """One page of a list; `next` goes into `after` for the next one, "" at the end."""

    items: list[T]
    next: str = Field("", examples=[""])


class PullView(Wire):
    """A model's weights being fetched. bytes, total: of the file that is on its way, 0 before it is known."""

    model: str = Field(examples=["waifu2x-cunet"])
    state: Literal["running", "done", "failed", "cancelled"]
    bytes: int = Field(examples=[1_048_576])
    total: int = Field(examples=[5_242_880])
    error: Told | None = None


class ModelView(Wire):
    """A model's card, and whether its weights are here."""

    name: str = Field(examples=["waifu2x-cunet"])
    title: Mapping[str, str] = Field(examples=[{"en": "waifu2x CUnet", "zh": "waifu2x CUnet"}])
    is_default: bool
    purpose: Literal["art", "photo", "any"]
    scales: list[int] = Field(examples=[[1, 2]])
    noises: list[str] = Field(examples=[["none", "0", "1", "2", "3"]])
    licence: str = Field(examples=["MIT"])
    origin: str
    credit: str
    aliases: list[str]
    networks: int = Field(description="How many networks the model has: one a scale and noise level.")
    networks_here: int = Field(description="How many of them can be used without fetching.")
    bytes: int = Field(description="What the weights of all networks take.")
    pull: PullView | None = Field(None, description="How fetching them goes, or ended last.")


class Models(Wire):
    """All models."""

    models: list[ModelView]


class OpenModelView(Wire):
    """A model that a worker keeps open, and on what it really runs."""

    model: str = Field(description="The network.", examples=["MODEL_WAIFU2X_CUNET_UP2X"])
    card: str = Field(description="The model that it is of; empty: none of the list.", examples=["waifu2x-cunet"])
    runtime: str = Field(examples=["openvino"])
    device: str = Field(examples=["cpu"])
    dtype: str = Field(examples=["bf16"])
    fallback: str | None = Field(None, description="Why it does not run on the device that was meant.")


class WorkerView(Wire):
    """A worker process."""

    id: str
    pid: int
    state: str
    rss_bytes: int = Field(description="Its memory; 0: unknown.")
    tasks: int = Field(description="Pages in its hands.")
    started_at: Seconds
    device: str = Field(description="Where pages are computed that name no device.", examples=["auto"])
    models: list[OpenModelView]


class Devices(Wire):
    """What is truly in use, and what the workers were set to."""

    workers: list[WorkerView]
    chosen: list[str] = Field(description="Dealt out to the workers in turn.", examples=[["auto"]])


class DeviceChoice(Wire):
    """Which devices the workers are to use."""

    devices: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        min_length=1,
        max_length=64,
        description="Dealt out to the workers in turn, a worker each at least; auto is the fastest.",
        examples=[["vulkan:0", "openvino:cpu"]],
    )


class DeviceView(Wire):
    """Something that can be named as a device."""

    device: str = Field(examples=["ncnn:vulkan:0"])
    name: str = Field(description="As its maker calls it.")
    kind: Literal["cpu", "gpu", "npu"]
    software: bool = Field(description="A GPU that the CPU plays.")
    dtypes: list[str]


class PresentDevices(Wire):
    """What the server's machine has."""

    devices: list[DeviceView]


class CacheView(Wire):
    """What the cache holds. The names are those of the readers' clients."""

    total_files: int
    total_size: int = Field(description="Bytes.")
    cache_dir: str
    max_size: int = Field(description="Bytes; beyond, what was not used for longest goes.")
    reader_count: int = Field(description="Finished pages of books that are open.")
    reader_size: int = Field(description="Bytes of them.")


class Cleaned(Wire):
    """What went out of the cache."""

    removed_files: int
    freed_size: int = Field(description="Bytes.")


class CalibrationView(Wire):
    """The fastest way found for a network on this machine."""

    network: str = Field(examples=["MODEL_WAIFU2X_CUNET_UP2X"])
    runtime: str | None = Field(None, examples=["openvino"])
    device: str | None = Field(None, examples=["cpu"])
    dtype: str | None = Field(None, examples=["bf16"])
    megapixels_per_s: float = Field(description="Of the source.", examples=[0.42])


class ServerView(Wire):
    """Which server this is, and what it allows."""

    version: str = Field(examples=["0.1.0"])
    default_model: str
    languages: list[str]
    workers: int
    max_upload_bytes: int
    max_upload_files: int
    max_megapixels: float
    max_waiting_jobs: int
    jobs: Mapping[str, int] = Field(description="How many jobs are in which state.", examples=[{"running": 1}])
    token_needed: bool
    storage_dir: str = Field(description="On the server's machine.", examples=["/srv/enlarger"])
    allowed_dirs: list[str] = Field(description="Folders outside it that clients may name.", examples=[["/mnt/manga"]])
    offline: bool = Field(description="Whether weights are never fetched on first use.")
    idle_unload_s: float = Field(description="Seconds without work after which models unload.")
    in_use: list[OpenModelView] = Field(description="What workers keep open, and on what it really runs.")
    calibrations: list[CalibrationView] = Field(description="What `auto` means here, as measured.")


class VerificationView(Wire):
    """An artifact compared with its report, and with what it was made from where that is still there."""

    ok: bool
    matched: list[str] = Field(examples=[["001.png", "002.png"]])
    missing: list[str]
    extra: list[str]
    mismatched: list[str]
    failed: list[str] = Field(description="Pages that the report itself says came to nothing.")
    problems: list[str] = Field(description="Each difference in words, in Accept-Language.")
    source_compared: bool = Field(description="Whether the source was there to be compared with.")


class SessionRequest(Wire):
    """The token, once."""

    model_config = ConfigDict(extra="forbid")
    token: str = Field(max_length=4096, examples=["b2c0…"])


class PriorityRequest(Wire):
    """Whom to serve first."""

    model_config = ConfigDict(extra="forbid")
    priority: PriorityName = Field(examples=["reading"])
