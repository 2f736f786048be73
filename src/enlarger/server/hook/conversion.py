"""From an original to what the reader gets back: a transient job, waited for as long as the reader waits."""

from __future__ import annotations

from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from anyio import move_on_after

from enlarger.enhance import Recipe
from enlarger.errors import EnlargerError
from enlarger.jobs import Failure, Job, JobSource, Submission, only_page
from enlarger.messages import msg
from enlarger.pictures import FORMATS, Header, is_on_its_side, read_header
from enlarger.server.hook.original import Original
from enlarger.server.hook.wishes import Wishes
from enlarger.server.live import LiveHub
from enlarger.server.threads import in_thread
from enlarger.storage import remove, write_atomic

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

OWNER = "hook"
_MEDIA_TYPES = {known.suffix: known.media_type for known in FORMATS.values()}


@dataclass(frozen=True)
class Answer:
    """What goes back. reason: why it is the original, else "". job_id: the job to forget afterwards, or ""."""

    data: bytes
    media_type: str
    enlarged: bool
    reason: str = ""
    cached: bool = False
    job_id: str = ""


class Converter:
    """Turns originals into answers over `jobs`."""

    def __init__(self, jobs: Jobs, live: LiveHub) -> None:
        self._jobs = jobs
        self._live = live

    async def convert(self, original: Original, wishes: Wishes, language: str) -> Answer:
        """The enlarged picture, or the original with the reason; raises EnlargerError."""
        recipe = await in_thread(self._recipe, original, wishes)
        if recipe is None:
            wide_enough = msg("The picture is as wide as max_width already.")
            return await in_thread(give_back, original, wide_enough.text(language))
        job = await in_thread(self._submit, original, recipe, wishes)
        with move_on_after(wishes.within_s):
            job = await self._ended(job)
        if not job.state.is_final and job.reason is not None:
            return await in_thread(give_back, original, job.reason.text(language))
        if not job.state.is_final:
            late = msg("Not finished in time; it goes on, and the next request finds it in the cache.")
            return await in_thread(give_back, original, late.text(language))
        return await in_thread(self._answer, original, job, language)

    def forget(self, job_id: str) -> None:
        """Delete a finished job; its render stays in the cache."""
        with suppress(EnlargerError):  # whatever is left goes with the other transient jobs
            self._jobs.delete(job_id)

    def _recipe(self, original: Original, wishes: Wishes) -> Recipe | None:
        return wishes.recipe(_seen(original.data), self._jobs.catalog)

    def _submit(self, original: Original, recipe: Recipe, wishes: Wishes) -> Job:
        job_id = str(uuid4())
        path = self._jobs.storage.upload_dir(job_id) / "image"
        submission = Submission(
            source=JobSource("picture", path),
            recipe=recipe,
            priority=wishes.priority,
            packs=False,
            transient=True,
            owner=OWNER,
            id=job_id,
        )
        try:
            write_atomic(path, original.data)
            return self._jobs.submit(submission)[0]
        except EnlargerError:
            with suppress(OSError):
                remove(path)
                path.parent.rmdir()
            raise

    async def _ended(self, job: Job) -> Job:
        """The job once it has ended or waits for something, or as it is when the server stops."""
        async with aclosing(self._live.changes(job.id)) as changes:
            async for _ in changes:
                job = await in_thread(self._jobs.get, job.id)
                if job.state.is_final or job.reason is not None:
                    break
        return job

    def _answer(self, original: Original, job: Job, language: str) -> Answer:
        page = only_page(self._jobs, job)
        if isinstance(page, Failure):
            return give_back(original, page.text(language), job.id)
        media_type = _MEDIA_TYPES[page.file.suffix.lower()]
        return Answer(page.file.read_bytes(), media_type, True, cached=not page.result.computed, job_id=job.id)


def _seen(data: bytes) -> Header:
    """With the sides that a reader sees."""
    header = read_header(data, name="image")
    lies = is_on_its_side(data, name="image")
    return replace(header, width=header.height, height=header.width) if lies else header


def give_back(original: Original, reason: str, job_id: str = "") -> Answer:
    """The picture as it came; looks at its header."""
    return Answer(original.data, original.media_type, False, reason, job_id=job_id)
