"""Jobs whose pages are finished, made without a model: sources, outputs on the disk, rows as the ledger gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from enlarger.enhance import make_recipe
from enlarger.jobs import Failure, Job, JobSource, JobState, Page, PageResult, PageState, StorageRoot, Submission
from enlarger.jobs.job import Counts, SourceKind
from enlarger.messages import msg
from enlarger.models import load_catalog

JOB_ID = "0b5ab21e-6a3c-4c79-9a07-6d0a7a2f5d11"
COMIC_INFO = (
    b'<?xml version="1.0"?>\n<ComicInfo><Pages><Page Image="1" ImageWidth="40" ImageHeight="50"/></Pages></ComicInfo>'
)
VOLUME = {
    "10.png": b"page ten",
    "2.png": b"page two",
    "封面.png": b"cover",
    "ComicInfo.xml": COMIC_INFO,
    "credits.txt": "字幕".encode(),
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Finished:
    job: Job
    pages: list[Page]
    storage: StorageRoot

    @property
    def source(self) -> Path:
        return self.job.submission.source.path

    def output(self, name: str) -> Path:
        page = next(page for page in self.pages if page.name == name)
        return self.storage.output_path(self.job, page)

    def failing(self, name: str) -> Finished:
        """The same, but that this page failed."""
        failure = Failure("bad_picture", msg("{name}: is broken.", name=name), msg("Get it again."))
        pages = [
            replace(page, state=PageState.FAILED, result=None, failure=failure) if page.name == name else page
            for page in self.pages
        ]
        return replace(self, pages=pages)


def finish(
    folder: Path,
    members: Mapping[str, bytes] = VOLUME,
    *,
    packed: bool = False,
    kind: SourceKind = "folder",
    job_id: str = JOB_ID,
    **submitted: Any,
) -> Finished:
    """A job over `members`, as a folder (of this kind) or `packed`, with an output for every picture of them."""
    storage = StorageRoot(folder / "storage")
    storage.prepare()
    source = _zip(folder / "volume.cbz", members) if packed else _folder(folder / "volume", members)
    values = {"title": "My Manga", "volume": "第1卷", "recipe": make_recipe(load_catalog())} | submitted
    job = Job(
        job_id,
        Submission(JobSource("archive" if packed else kind, source), **values),
        JobState.PACKING,
        Counts(),
        0.0,
        0.0,
    )
    names = [name for name in members if name.endswith(".png")]
    pages = [_page(storage, job, number, name, members[name]) for number, name in enumerate(names)]
    return Finished(job, pages, storage)


def _page(storage: StorageRoot, job: Job, number: int, name: str, data: bytes) -> Page:
    output, larger = str(Path(name).with_suffix(".jpg").as_posix()), b"larger " + data
    path = storage.output_dir(job) / output
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(larger)
    result = PageResult(output, sha256(data), sha256(larger), len(larger), f"key{number}", 1.5, True, _facts(job))
    return Page(number, job.id, number, name, {".jpg": output}, PageState.DONE, result=result)


def _facts(job: Job) -> dict[str, Any]:
    one = {
        "variant": "MODEL_WAIFU2X_CUNET_UP2X", "graph": "g" * 64, "weights": "w" * 64, "runtime": "openvino",
        "device": "cpu", "dtype": "bf16", "tile": [64, 64], "tiles": 2, "useful_share": 0.9,
        "seconds": 1.2, "retried": False,
    }  # fmt: skip
    return {
        "recipe": job.submission.recipe.as_dict(),
        "source_size": [40, 50],
        "size": [80, 100],
        "passes": [one],
        "metadata": {"had": ["exif", "icc"], "kept": ["icc"]},
        "notes": [msg("The EXIF is larger than JPEG can hold and was dropped.").as_json()],
        "decode_seconds": 0.1,
    }


def _folder(root: Path, members: Mapping[str, bytes]) -> Path:
    for name, data in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def _zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path
