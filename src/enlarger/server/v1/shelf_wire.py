"""The shelf and its books as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from enlarger.server.v1.wire import Seconds, Wire

EXAMPLE_BOOK = "aW5jb21pbmc6YmVyc2Vyay0wMS5jYno"
EXAMPLE_ROOT = "4f2a8c11d0"
_NO_NUL = r"^[^\x00]*$"

BookIdText = Annotated[
    str, Field(description="Opaque; the same as long as the book lies where it does.", examples=[EXAMPLE_BOOK])
]


class RootView(Wire):
    """A folder (or one archive) that books are looked for in."""

    id: str = Field(examples=["incoming"])
    name: str = Field(examples=["incoming"])
    path: str = Field(description="On the server's machine.", examples=["/srv/enlarger/incoming"])
    removable: bool = Field(description="Whether it was added here, and can be taken off again.")
    here: bool = Field(description="Whether it can be reached now: disks are unplugged.")


class ShelfView(Wire):
    """All roots."""

    roots: list[RootView]


class RootRequest(Wire):
    """A folder or an archive to put on the shelf."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(
        min_length=1, max_length=4096, pattern=_NO_NUL, description="Whole, on the server's machine.",
        examples=["/mnt/manga"],
    )  # fmt: skip


class ProgressView(Wire):
    """How far a book was read."""

    page: int = Field(description="The page seen last, from 0.", examples=[41])
    total: int = Field(examples=[200])
    at: Seconds


class ProgressRequest(Wire):
    """How far a book was read."""

    model_config = ConfigDict(extra="forbid")
    page: int = Field(ge=0, le=10_000_000, description="The page seen last, from 0.", examples=[41])


class ItemView(Wire):
    """A group of books, or a book."""

    id: BookIdText
    kind: Literal["group", "book"]
    format: str = Field(description="folder, zip, or another kind of archive.", examples=["zip"])
    title: str = Field(examples=["berserk-01"])
    path: str = Field(description="Below its root; empty: the root itself.", examples=["berserk-01.cbz"])
    pages: int | None = Field(None, description="null until it was looked into.", examples=[200])
    cover: str | None = Field(
        None, description="Where its cover is; of a book.", examples=[f"/v1/books/{EXAMPLE_BOOK}/cover?v=1"]
    )
    progress: ProgressView | None = None
    bytes: int | None = Field(None, description="Of an archive.", examples=[183_500_800])
    modified_at: Seconds


class Items(Wire):
    """Items without a continuation."""

    items: list[ItemView]


class ShelfPageView(Wire):
    """A page as its file says."""

    index: int = Field(description="From 0, in reading order.", examples=[0])
    name: str = Field(description="Its path inside the book.", examples=["chapter 1/001.jpg"])
    width: int = Field(description="Pixels as stored; 0: it cannot be read, see the book's problems.", examples=[1350])
    height: int = Field(description="Pixels as stored; 0: it cannot be read.", examples=[1920])
    format: str = Field(description="What it truly is; empty: it cannot be read.", examples=["jpeg"])
    bytes: int | None = Field(None, description="null: only reading it would tell.", examples=[412_345])


class ProblemView(Wire):
    """A page or another member that cannot be used, told in Accept-Language."""

    name: str = Field(examples=["chapter 1/007.jpg"])
    message: str
    remedy: str | None = None


class BookView(Wire):
    """A book and its pages."""

    id: BookIdText
    title: str = Field(examples=["berserk-01"])
    path: str = Field(description="Below its root.", examples=["berserk-01.cbz"])
    format: str = Field(examples=["zip"])
    pages: list[ShelfPageView]
    problems: list[ProblemView]
    progress: ProgressView | None = None
