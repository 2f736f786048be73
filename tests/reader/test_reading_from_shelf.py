"""The reader with the real shelf: ids, sizes and paths fit together."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

from fake_workers import make_graph
from job_making import folder_of, running_room, until

from enlarger.reader import PageStatus, Reader, ReaderStore, Request, Shelf


def test_books_of_the_shelf_are_read(tmp_path: Path) -> None:
    with running_room(make_graph(tmp_path), tmp_path) as room:
        incoming = room.jobs.storage.incoming
        folder = folder_of(incoming / "folder", 40, 41)
        (folder / "03.png").write_bytes(b"nothing that can be read")
        if sys.platform == "linux":  # a name unpacked without decoding
            shutil.copy(folder / "01.png", folder / os.fsdecode("04 封面.png".encode("gbk")))
        with zipfile.ZipFile(incoming / "volume.cbz", "w") as writer:
            for page in (folder / "01.png", folder / "02.png"):
                writer.write(page, f"chapter/{page.name}")
        store = ReaderStore.of(room.jobs.settings)
        shelf = Shelf(room.jobs.settings, store)
        reader = Reader(room.jobs, shelf, store, room.jobs.settings)
        reader.set(tileSize=32)
        reader.start()
        try:
            for name, pages in (("folder", 2), ("volume.cbz", 2)):
                book = shelf.id_of(incoming / name)
                reader.turn(book, 0)
                until(lambda book=book: statuses(reader, book)[:2] == [PageStatus.COMPLETED] * 2)
                assert reader.states(book)[0].book_path == incoming / name
                assert len(shelf.pages(book)) == pages + (name == "folder") * (2 if sys.platform == "linux" else 1)
            if sys.platform == "linux":
                until(lambda: statuses(reader, shelf.id_of(folder))[3:] == [PageStatus.COMPLETED])
            broken = reader.states(shelf.id_of(folder))[2]
            assert (broken.status, broken.error and broken.error.code) == (PageStatus.FAILED, "bad_picture")
            shutil.copy(folder / "01.png", folder / "02.png")
            state = reader.turn(shelf.id_of(folder), 1)[0]
            assert state.status is not PageStatus.COMPLETED or state.original_width == 40
            until(lambda: reader.states(shelf.id_of(folder))[1].original_width == 40)
            asked = reader.request(Request("", 7, f"{incoming / 'volume.cbz'} inner=chapter/02.png"))
            assert asked.page == 1
            facts = reader.test(book_id=shelf.id_of(incoming / "volume.cbz"), page=1)
            assert facts.enlarges
        finally:
            reader.stop()
            shelf.close()
            store.close()


def statuses(reader: Reader, book: str) -> list[PageStatus]:
    return [state.status for state in reader.states(book)]
