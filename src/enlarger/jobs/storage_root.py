"""The server's storage root: which folder is for what, what outputs are called, which paths clients may name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unicodedata import normalize
from uuid import UUID

from enlarger.books import is_elsewhere, is_opened_as_named, portable_name
from enlarger.errors import InputError, StorageError
from enlarger.jobs.job import Job, Page
from enlarger.messages import msg
from enlarger.settings import Settings
from enlarger.storage import TEMPORARY_PREFIX, drop_tree, make_folder, reachable, remove, remove_tree, storage_errors

_SLUG_MAX_BYTES = 100  # two of them, a job's id and a suffix stay below the 255 bytes that file systems allow
_FOLDERS = ("incoming", "staging", "outputs", "artifacts", "models")


def slug(text: str) -> str:
    """`text` in a path: lower case, spaces as "-", letters and digits of any script, "-", "_"; else "unknown"."""
    lowered = normalize("NFC", text).strip().lower().replace(" ", "-")
    return "".join(sign for sign in lowered if sign.isalnum() or sign in "-_") or "unknown"


@dataclass(frozen=True)
class StorageRoot:
    """Folders below `root`, which is absolute; `allowed` are folders outside it that clients may name too."""

    root: Path
    allowed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> StorageRoot:
        """The root that the settings name."""
        return cls(settings.storage_dir.absolute(), settings.allowed_folders)

    @property
    def incoming(self) -> Path:
        """Where people and other programs put sources."""
        return self.root / "incoming"

    @property
    def staging(self) -> Path:
        """Uploads, and the outputs of transient jobs, by the job's id."""
        return self.root / "staging"

    @property
    def outputs(self) -> Path:
        """Finished pages."""
        return self.root / "outputs"

    @property
    def artifacts(self) -> Path:
        """Finished archives."""
        return self.root / "artifacts"

    @property
    def models(self) -> Path:
        """Weights that a person put beside the jobs."""
        return self.root / "models"

    @property
    def ledger(self) -> Path:
        """The file that knows all jobs."""
        return self.root / "ledger.sqlite"

    @property
    def reserve(self) -> Path:
        """The file that is given up when the ledger finds no room."""
        return self.root / ".enlarger.reserve"

    def prepare(self) -> None:
        """Make the folders; raises StorageError."""
        for name in _FOLDERS:
            with storage_errors(self.root / name):
                make_folder(self.root / name)

    # ---- what a job owns ----

    def upload_dir(self, job_id: str) -> Path:
        """What was uploaded for the job, and all else that goes with it."""
        return self.staging / job_id

    def output_dir(self, job: Job) -> Path:
        """The folder of the job's finished pages."""
        if job.submission.transient:
            return self.upload_dir(job.id) / "out"
        return self.outputs / _part(job.submission.title) / _part(job.submission.volume) / job.id

    def output_path(self, job: Job, page: Page) -> Path:
        """The file of a finished page."""
        if page.result is None:
            raise InputError(msg("{name}: this page is not finished.", name=page.name))
        return reachable(self.output_dir(job) / page.result.output)

    def artifact_file(self, job: Job) -> Path:
        """The file that the job's archive gets, or has."""
        if job.artifact is not None:
            return self.root / job.artifact.path
        names = _part(job.submission.title), _part(job.submission.volume), job.id
        return self.artifacts / f"{'-'.join(names)}.{self.container(job)}"

    def container(self, job: Job) -> Literal["zip", "cbz"]:
        """What the job's archive is, by what was asked for."""
        return "cbz" if job.submission.params.get("container") == "cbz" else "zip"

    def relative(self, path: Path) -> str:
        """`path`, which lies below the root, as clients see it (POSIX)."""
        return path.relative_to(self.root).as_posix()

    def owned_by(self, job: Job) -> tuple[Path, ...]:
        """All files and folders that go when the job is deleted."""
        return self.output_dir(job), self.artifact_file(job), self.upload_dir(job.id)

    def discard(self, job: Job) -> None:
        """Delete the job's files; what is gone already is no error. Raises StorageError."""
        for path in self.owned_by(job):
            with storage_errors(path):
                _delete(path)
        if not job.submission.transient:
            _drop_empty(self.output_dir(job).parent, self.outputs)

    def sweep(self, unfinished: Iterable[Job], is_known: Callable[[str], bool]) -> None:
        """Delete what a killed server left: files half written, and uploads of jobs that were never accepted."""
        for job in unfinished:
            _drop_temporaries(self.output_dir(job).rglob(f"{TEMPORARY_PREFIX}*"))
        _drop_temporaries(self.artifacts.glob(f"{TEMPORARY_PREFIX}*"))
        for folder in self.staging.iterdir():
            if _is_job_id(folder.name) and not is_known(folder.name):
                drop_tree(folder)

    # ---- what clients may name ----

    def resolve(self, path: str, *, must_exist: bool = True) -> Path:
        """The absolute path of a source: below the root, else below its incoming/, else in an allowed folder.

        Raises InputError when it leads out of them, also through links, when it is the root itself, and, with
        `must_exist`, when nothing is there; without, a missing one is looked for in incoming/ later.
        """
        wanted = _plain(path)
        candidates = [wanted] if wanted.is_absolute() else [self.root / wanted, self.incoming / wanted]
        if is_elsewhere(wanted, (self.root, *self.allowed)):  # not even looked for
            raise _leads_out(path)
        found = next((candidate for candidate in candidates if os.path.lexists(candidate)), None)
        if found is None and must_exist:
            raise InputError(
                msg("{path}: there is no such file or folder.", path=path),
                msg("Give a path below the storage root, or below its folder “incoming”."),
            )
        coming = candidates[0] if wanted.parts[:1] == (self.incoming.name,) else candidates[-1]
        return self._inside(found or coming, path)

    def check_links(self, source: Path) -> None:
        """Raises InputError when a source below these folders leads out of them by now, as a link made later does."""
        if any(source.is_relative_to(root) for root in (self.root, *self.allowed)):
            self._inside(source, str(source))

    def _inside(self, candidate: Path, named: str) -> Path:
        real = Path(os.path.realpath(candidate))
        roots = [Path(os.path.realpath(root)) for root in (self.root, *self.allowed)]
        if real == roots[0] or not any(real.is_relative_to(root) for root in roots):
            raise _leads_out(named)
        return candidate

    # ---- one server ----

    @contextmanager
    def held(self) -> Iterator[None]:
        """The root for this process alone; raises StorageError when another server has it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / ".enlarger.lock", thread_local=False)  # whichever thread stops the server
        with storage_errors(self.root):
            make_folder(self.root)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise _in_use(self.root) from None
        try:
            yield
        finally:
            lock.release()


def _part(text: str) -> str:
    cut = slug(text).encode()[:_SLUG_MAX_BYTES].decode(errors="ignore")
    return portable_name(cut) if os.name == "nt" else cut


def _plain(path: str) -> Path:
    if not path.strip() or "\0" in path or not _is_text(path):
        raise _leads_out(path.encode(errors="replace").decode().replace("\0", ""))
    wanted = Path(path)
    if ".." in wanted.parts or not is_opened_as_named(wanted):
        raise _leads_out(path)
    return wanted


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can say it, no file can be called it
        return False
    return True


def _leads_out(path: str) -> InputError:
    return InputError(
        msg("{path}: leads out of the storage root.", path=path),
        msg("Give a path below the storage root, or name its folder in ENLARGER_ALLOWED_DIRS."),
    )


def _in_use(root: Path) -> StorageError:
    return StorageError(
        msg("{path}: another server uses this storage root.", path=root),
        msg("Stop the other server, or give this one another folder with --storage."),
    )


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        remove(path)


def _drop_temporaries(files: Iterable[Path]) -> None:
    for file in files:
        with suppress(OSError):  # it can stay: it is in nobody's way
            remove(file)


def _is_job_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:  # a person's own folder
        return False
    return True


def _drop_empty(folder: Path, root: Path) -> None:
    """Remove folders that nothing is left in, up to `root`."""
    while folder != root:
        try:
            folder.rmdir()
        except OSError:  # another volume's jobs are in it
            return
        folder = folder.parent
