"""Roots, groups and books as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from enlarger.reader import BookIndex, Item, Progress, Root, Shelf, printable
from enlarger.server.v1.shelf_wire import BookView, ItemView, ProblemView, ProgressView, RootView, ShelfPageView


def root_view(root: Root) -> RootView:
    """The root; looks whether it is there."""
    return RootView(
        id=root.id,
        name=printable(root.name),
        path=printable(str(root.path)),
        removable=root.removable,
        here=root.is_here,
    )


def item_views(shelf: Shelf, items: Sequence[Item]) -> list[ItemView]:
    """The items with what was read of them; reads the disk."""
    progress = shelf.progress_of(items)
    return [_item_view(shelf, item, progress.get(item.path)) for item in items]


def book_view(shelf: Shelf, book_id: str, item: Item, index: BookIndex, language: str) -> BookView:
    """The book, what is wrong with it told in one language."""
    return BookView(
        id=book_id,
        title=item.title,
        path=item.relative,
        format=item.format,
        pages=[
            ShelfPageView(index=p.index, name=p.name, width=p.width, height=p.height, format=p.format, bytes=p.bytes)
            for p in index.pages
        ],
        problems=[
            ProblemView(name=p.name, message=p.message.text(language), remedy=p.remedy and p.remedy.text(language))
            for p in index.problems
        ],
        progress=progress_view(shelf.progress(book_id)),
    )


def progress_view(progress: Progress | None) -> ProgressView | None:
    """How far it was read."""
    return None if progress is None else ProgressView(page=progress.page, total=progress.total, at=progress.at)


def _item_view(shelf: Shelf, item: Item, progress: Progress | None) -> ItemView:
    book_id = shelf.id_below(item.root, item.path)
    version = f"{int(item.modified_at * 1000):x}"  # another address for another cover
    return ItemView(
        id=book_id,
        kind=item.kind,
        format=item.format,
        title=item.title,
        path=item.relative,
        pages=item.pages,
        cover=f"/v1/books/{book_id}/cover?v={version}" if item.kind == "book" else None,
        progress=progress_view(progress),
        bytes=item.bytes,
        modified_at=item.modified_at,
    )
