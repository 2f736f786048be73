"""Reading as JSON: the reader's settings, pages and what became of them, requests, verdicts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BeforeValidator, ConfigDict, Field

from enlarger.errors import EnlargerError
from enlarger.models import parse_noise
from enlarger.reader import LookAhead, PageStatus, Rule, Treatment
from enlarger.server.v1.shelf_wire import EXAMPLE_BOOK, BookIdText
from enlarger.server.v1.wire import Told, Wire

EXAMPLE_KEY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_NO_NUL = r"^[^\x00]*$"


def _level(value: object) -> object:
    """A level by its name, as cards list them."""
    try:
        return parse_noise(value) if isinstance(value, str) else value
    except EnlargerError as error:
        raise ValueError(error.text()) from error


Page = Annotated[int, Field(ge=0, le=10_000_000, description="From 0, in reading order.", examples=[12])]
Noise = Annotated[
    Annotated[int, Field(ge=-1, le=3)] | None,
    BeforeValidator(_level),
    Field(description="Level of noise reduction; -1: conservative; null: left alone.", examples=[1]),
]
Seat = Annotated[
    str,
    Query(
        max_length=64,
        pattern=r"^[0-9A-Za-z_-]*$",
        description="Who reads, in the client's own word: one for each tab or device, so that none stops another. "
        "All clients that say nothing are one.",
        examples=["tab-7f3a"],
    ),
]
AnyText = Annotated[str, Field(max_length=8192, pattern=_NO_NUL)]


class HintView(Wire):
    """That this machine cannot keep up with the reader."""

    message: str
    model: str = Field(description="The one that would; empty: none would.", examples=["waifu2x-upconv7-anime"])


class ReaderView(Wire):
    """How pages are made sharp while they are read."""

    enabled: bool
    model: str = Field(examples=["waifu2x-cunet"])
    scale: float = Field(examples=[2.0])
    noise: Noise = None
    tile_size: int = Field(description="Pixels; 0: planned.", examples=[0])
    quality: int = Field(description="Of WebP.", examples=[90])
    lossless: bool
    look_ahead: LookAhead
    open_books: list[BookIdText] = Field(description="The one turned last first.")
    hint: HintView | None = None


class LookAheadChanges(Wire):
    """How many pages are made ready in the direction of reading, and behind."""

    model_config = ConfigDict(extra="forbid")
    forward: Annotated[int, Field(ge=0, le=100)] | None = None
    backward: Annotated[int, Field(ge=0, le=100)] | None = None


class ReaderChanges(Wire):
    """What is to be otherwise; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"enabled": True, "scale": 2}})
    enabled: bool | None = None
    model: Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_NUL)] | None = None
    scale: Annotated[float, Field(ge=1, le=32)] | None = None
    noise: Noise = None
    tile_size: Annotated[int, Field(ge=0, le=4096)] | None = None
    quality: Annotated[int, Field(ge=1, le=100)] | None = None
    lossless: bool | None = None
    look_ahead: LookAheadChanges | None = None


class RuleNameView(Wire):
    """Which rule decided."""

    id: str = Field(examples=["large-pages"])
    name: str = Field(examples=["Large pages"])


class PageStateView(Wire):
    """A page that is read, and what became of it."""

    book_id: BookIdText
    page: int = Field(examples=[12])
    status: PageStatus
    share: float = Field(description="Of its tiles, 0 to 1.", examples=[0.5])
    url: str | None = Field(None, description="Where the finished picture is.", examples=[f"/v1/renders/{EXAMPLE_KEY}"])
    width: int | None = Field(None, description="Of the finished picture, pixels.", examples=[2700])
    height: int | None = Field(None, examples=[3840])
    original_width: int | None = Field(None, examples=[1350])
    original_height: int | None = Field(None, examples=[1920])
    model: str | None = Field(None, examples=["waifu2x-cunet"])
    scale: float | None = Field(None, examples=[2.0])
    noise: int | None = Field(None, examples=[1])
    seconds: float | None = Field(None, examples=[1.25])
    rule: RuleNameView | None = None
    reason: str | None = Field(None, description="Why it gets what it gets, or nothing.")
    error: Told | None = Field(None, description="Why it failed; while it is processing: what it waits for.")
    is_preload: bool = Field(description="Whether it is made ready ahead, and not shown.")


class UpscaleReady(PageStateView):
    """A page that is in another state, in the names of earlier readers' event besides."""

    book_path: str = Field(examples=["/manga/berserk-01.cbz"])
    page_index: int = Field(examples=[12])
    image_hash: str = Field(description="The client's name for the picture, else the SHA-256 of its bytes.")
    cache_path: str | None = Field(None, description="The finished file; for clients on the server's machine only.")
    original_size: tuple[int, int] | None = Field(None, examples=[[1350, 1920]])
    upscaled_size: tuple[int, int] | None = Field(None, examples=[[2700, 3840]])
    model_name: str | None = Field(None, examples=["waifu2x-cunet"])


class PageStates(Wire):
    """Pages, in reading order or by urgency as the call says."""

    pages: list[PageStateView]


class PositionRequest(Wire):
    """Where the reader is; `also`: what else is seen, such as the other page of a double spread."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"page": 12, "also": [13]}})
    page: Page
    also: list[Page] = Field([], max_length=100)


class Named(Wire):
    """How a page is to be made; without a model the rules say."""

    model_name: AnyText | None = Field(None, examples=["cunet"])
    scale: float = Field(2.0, ge=1, le=32)
    tile_size: Annotated[int, Field(ge=0, le=4096)] | None = None
    tile_enabled: bool = True
    noise_level: Noise = None


class PageRequest(Named):
    """One page, named by paths as earlier readers do. It has to be on the shelf."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "bookPath": "/manga/berserk-01.cbz",
                "pageIndex": 12,
                "imagePath": "/manga/berserk-01.cbz inner=012.jpg",
                "imageHash": "d41d8cd98f00b204",
                "priority": "current",
            }
        }
    )
    book_path: AnyText = ""
    page_index: Page | None = Field(None, description="Counts where the book holds no page of that path.")
    image_path: AnyText = Field("", description="Its file, or `<archive> inner=<member>`; empty: by its index.")
    image_hash: Annotated[str, Field(max_length=200, pattern=_NO_NUL)] = ""
    priority: Literal["current", "forward", "backward", "background"] = "current"


class LookupQuery(Named):
    """One page, named as in a request."""

    model_config = ConfigDict(extra="forbid")
    book_path: AnyText = ""
    page_index: Page | None = Field(None, description="Counts where the book holds no page of that path.")
    image_path: AnyText = Field("", description="Its file, or `<archive> inner=<member>`; empty: by its index.")


class LookupView(Wire):
    """Whether the page's render is kept. `url`: where, else null; then `reason` may say why there is none."""

    cached: bool
    url: str | None = Field(None, examples=[f"/v1/renders/{EXAMPLE_KEY}"])
    reason: str | None = None


class ImageInfo(Wire):
    """One page of a range."""

    page_index: Page
    image_path: AnyText = ""
    hash: Annotated[str, Field(max_length=200, pattern=_NO_NUL)] = ""


class PreloadRequest(Named):
    """Pages around the one that is read, to be ready before they are turned to."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "bookPath": "/manga/berserk-01.cbz",
                "centerIndex": 12,
                "totalPages": 200,
                "imageInfos": [{"pageIndex": 13, "imagePath": "/manga/berserk-01.cbz inner=013.jpg", "hash": ""}],
            }
        }
    )
    book_path: AnyText
    center_index: Page
    total_pages: Page = 0
    image_infos: Annotated[list[ImageInfo], Field(max_length=1000)]


class Removed(Wire):
    """How many were removed."""

    removed: int = Field(examples=[17])


class PresetView(Wire):
    """A rule to begin with, and what it is for, in Accept-Language."""

    title: str = Field(examples=["Leave large pages alone"])
    description: str
    rule: Rule


class Presets(Wire):
    """Rules to begin with."""

    presets: list[PresetView]


class Conditions(Wire):
    """The rules in the flat form of earlier readers; unknown keys are passed over."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "upscaleConditionsEnabled": True,
                "upscaleConditions": [
                    {"id": "1", "name": "small", "enabled": True, "priority": 0, "maxWidth": 800, "modelName": "cunet"}
                ],
            }
        }
    )
    upscale_conditions_enabled: bool = False
    upscale_conditions: list[dict[str, Any]] = Field([], max_length=1000)


class FactsRequest(Wire):
    """A page that need not exist."""

    model_config = ConfigDict(extra="forbid")
    width: int = Field(ge=1, le=1_000_000, examples=[1350])
    height: int = Field(ge=1, le=1_000_000, examples=[1920])
    file_type: Annotated[str, Field(max_length=50, pattern=_NO_NUL)] = Field("", examples=["jpg"])
    book_path: AnyText = Field("", examples=["/manga/berserk-01.cbz"])
    page_path: AnyText = Field("", examples=["/manga/berserk-01.cbz inner=012.jpg"])


class TestRequest(Wire):
    """Which page is asked about: one of a book, or one with such facts. rules: those that are not saved yet."""

    __test__ = False  # no test, whatever it is called
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"bookId": EXAMPLE_BOOK, "page": 12, "enabled": True}}
    )
    book_id: Annotated[str, Field(max_length=6000, pattern=r"^[0-9A-Za-z_-]*$")] = ""
    page: Page = 0
    facts: FactsRequest | None = None
    enabled: bool | None = None
    rules: Annotated[list[Rule], Field(max_length=1000)] | None = None


class CheckView(Wire):
    """One condition of a rule."""

    condition: str = Field(description="Its name in `match`.", examples=["minWidth"])
    wanted: str = Field(examples=["2000"])
    found: str = Field(examples=["1350"])
    passed: bool


class TraceView(Wire):
    """How a rule took the page. problem: why the rule itself cannot be used."""

    rule: RuleNameView
    matched: bool
    checks: list[CheckView]
    problem: str | None = None


class VerdictView(Wire):
    """What the page would get, and why."""

    outcome: Literal["enlarge", "skip"]
    recipe: Treatment | None = None
    rule: RuleNameView | None = None
    reason: str = Field(examples=["Condition 'Large pages' asks to skip"])
    trace: list[TraceView]
