"""The shelf: which books there are, what is in them, and their pages as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from enlarger.books import open_book
from enlarger.errors import UnknownBookError
from enlarger.reader.reader_store import Progress, ReaderStore
from enlarger.reader.shelf_ids import INCOMING
from enlarger.reader.shelf_index import BookIndex, Indexes, ShelfPage, unknown_page
from enlarger.reader.shelf_intake import Arrived, Intake
from enlarger.reader.shelf_items import Item, Listings
from enlarger.reader.shelf_pages import PageRef, page_ref, read_page
from enlarger.reader.shelf_pool import OpenBooks, stamp_of
from enlarger.reader.shelf_roots import Root, Roots
from enlarger.reader.shelf_thumbnails import Thumbnails, thumbnail_tag
from enlarger.settings import Settings

_MOST_COVERS = 2
_COVER_IDLE_S = 2.0  # the next try, where the first page is broken


class Shelf:
    """The room's face towards books. Thread-safe; every call may wait for the disk."""

    def __init__(self, settings: Settings, store: ReaderStore) -> None:
        self._store = store
        self._roots = Roots(settings, store)
        opens = partial(open_book, settings=settings, recursive=False)
        self._books = OpenBooks(opens=opens)
        self._covers = OpenBooks(opens=opens, most=_MOST_COVERS, idle_s=_COVER_IDLE_S)
        self._indexes = Indexes(store, self._books)
        self._listings = Listings(self._roots)
        self._intake = Intake(self._roots.get(INCOMING).path)
        self._thumbnails = Thumbnails(settings.thumbnails_dir, settings.max_megapixels)

    def close(self) -> None:
        """Let go of the archives that are open."""
        self._books.close()
        self._covers.close()

    # ---- roots ----

    def roots(self) -> Sequence[Root]:
        """Every folder that the shelf stands on."""
        return self._roots.all()

    def add_root(self, path: str) -> Root:
        """Put a folder or an archive of the server's machine on the shelf, for good; raises InputError."""
        return self._roots.add(path)

    def remove_root(self, root_id: str) -> None:
        """Take an added one off the shelf; raises UnknownBookError, InputError."""
        self._roots.remove(root_id)

    # ---- what comes in ----

    def begin_upload(self) -> Path:
        """A folder, not made yet, to receive an upload in; whoever asked for it deletes what is left of it."""
        return self._intake.begin()

    def take_in(self, folder: Path, files: Sequence[Arrived]) -> list[Item]:
        """Put what was received in `folder` on the shelf, never over what is there; raises InputError, StorageError."""
        root = self._roots.get(INCOMING)
        return self._counted([self._listings.item(root, path) for path in self._intake.place(folder, files)])

    # ---- what is there ----

    def items(
        self, root_id: str = "", group: str = "", *, query: str = "", after: str = "", limit: int = 200
    ) -> tuple[list[Item], str]:
        """The groups and books of a folder (`group`, a book's id, or a root), and the cursor for more of them.

        Raises UnknownBookError, and InputError for a cursor that is none. See `Listings.items`.
        """
        if group:
            root, folder = self._roots.locate(group)
        else:
            root = self._roots.get(root_id) if root_id else self._roots.all()[0]
            folder = root.path
        items, following = self._listings.items(root, folder, query=query, after=after, limit=limit)
        return self._counted(items), following

    def item(self, book_id: str) -> Item:
        """One of them; raises UnknownBookError."""
        root, path = self._roots.locate(book_id)
        return self._counted([self._listings.item(root, path)])[0]

    def recent(self, limit: int = 12) -> list[Item]:
        """The books read last, newest first; those that are gone are left out."""
        found: list[Item] = []
        for book_id, _ in self._store.recent(limit * 4):
            if len(found) < limit and (item := self._item_if_here(book_id)):
                found.append(item)
        return found

    def progress_of(self, items: Sequence[Item]) -> Mapping[Path, Progress]:
        """How far each of these was read, by its path."""
        ids = {item.path: self.id_of(item.path) for item in items if item.kind == "book"}
        known = self._store.progress_of(set(ids.values()))
        return {path: known[book_id] for path, book_id in ids.items() if book_id in known}

    # ---- books by id ----

    def locate(self, book_id: str) -> Path:
        """The absolute path of a book or folder, which lies below a root; raises UnknownBookError."""
        return self._roots.locate(book_id)[1]

    def id_of(self, path: Path) -> str:
        """The id of what lies at an absolute path below a root; raises UnknownBookError."""
        return self._roots.id_of(path)

    def id_below(self, root: Root, path: Path) -> str:
        """The id of what lies below this root."""
        return self._roots.id_below(root, path)

    def title(self, book_id: str) -> str:
        """What the book is called; raises UnknownBookError."""
        return self.item(book_id).title

    def index(self, book_id: str) -> BookIndex:
        """The book's pages and problems; raises UnknownBookError, BookError."""
        return self._indexes.of(self.locate(book_id))

    def pages(self, book_id: str) -> Sequence[ShelfPage]:
        """The book's pages in reading order; raises as `index`."""
        return self.index(book_id).pages

    # ---- how far it was read ----

    def progress(self, book_id: str) -> Progress | None:
        """How far the book was read."""
        return self._store.progress(self.id_of(self.locate(book_id)))

    def put_progress(self, book_id: str, page: int) -> Progress:
        """The book was read up to this page, from 0; raises UnknownBookError, BookError."""
        path = self.locate(book_id)
        with self._books.book(path) as book:
            total = len(book.pages)
        if not 0 <= page < total:
            raise unknown_page(page, total)
        return self._store.put_progress(self.id_of(path), page, total)

    # ---- pages as they are ----

    def page(self, book_id: str, index: int) -> PageRef:
        """Which page that is, and what tells its bytes from others; raises UnknownBookError, BookError."""
        return page_ref(self._books, self.locate(book_id), index)

    def cover(self, book_id: str, index: int = 0) -> PageRef:
        """The same, for who only wants to see what the book looks like: a solid archive is not unpacked further."""
        path = self.locate(book_id)
        return page_ref(self._glimpsed(path), path, index, is_cover=True)

    def read(self, page: PageRef) -> bytes:
        """The page's own bytes; raises UnknownBookError, BookError."""
        return read_page(self._glimpsed(page.book) if page.is_cover else self._books, page)

    def thumbnail_tag(self, page: PageRef, width_px: int) -> str:
        """What tells this thumbnail of the page from any other."""
        return thumbnail_tag(page.tag, width_px)

    def thumbnail(self, page: PageRef, width_px: int) -> bytes:
        """The page, small, as WebP; raises BookError, PictureError."""
        tag = self.thumbnail_tag(page, width_px)
        return self._thumbnails.thumbnail(tag, width_px, name=page.name, read=lambda: self.read(page))

    def shown(self, page: PageRef) -> bytes:
        """A page that browsers cannot show, as a picture that they can; raises BookError, PictureError."""
        return self._thumbnails.shown(page.tag, name=page.name, read=lambda: self.read(page))

    # ---- inside ----

    def _counted(self, items: list[Item]) -> list[Item]:
        """With the number of pages of those archives that were looked into before."""
        archives = {item.path: _stamp_if_here(item.path) for item in items if item.bytes is not None}
        counts = self._indexes.counts(archives)
        return [replace(item, pages=counts.get(item.path, item.pages)) for item in items]

    def _glimpsed(self, path: Path) -> OpenBooks:
        """Where a book is opened for its cover: closed soon, which ends its unpacking, unless somebody reads it."""
        return self._books if self._books.has(path) else self._covers

    def _item_if_here(self, book_id: str) -> Item | None:
        try:
            item = self.item(book_id)
        except UnknownBookError:
            return None
        return item if item.kind == "book" else None


def _stamp_if_here(path: Path) -> str:
    try:
        return stamp_of(path)
    except UnknownBookError:
        return ""
