"""Jobs, pages, events and models as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel
from starlette.responses import Response

from enlarger.enhance import DEFAULT_MODEL
from enlarger.errors import UnknownModelError
from enlarger.jobs import Event, Failure, Job, JobSource, Page, Priority, StorageRoot
from enlarger.messages import Message
from enlarger.models import Card, Catalog, Choice, found_at, noise_name
from enlarger.server.v1.wire import (
    ArtifactView,
    CountsView,
    JobView,
    ModelView,
    OpenModelView,
    PageView,
    PullView,
    SourceView,
    Told,
    Wire,
    WorkerView,
)
from enlarger.settings import Settings

if TYPE_CHECKING:
    from enlarger.jobs import PullState, WorkerState


def json_of(view: Wire) -> Response:
    """The view as the answer. For lists: made here, in a thread, it takes nothing of the event loop's time."""
    return Response(view.model_dump_json(by_alias=True), media_type="application/json")


def told(failure: Failure | None, language: str) -> Told | None:
    """The failure in one language."""
    if failure is None:
        return None
    remedy = None if failure.remedy is None else failure.remedy.text(language)
    return Told(code=failure.code, message=failure.message.text(language), remedy=remedy)


def job_view(job: Job, storage: StorageRoot, language: str) -> JobView:
    """The job; paths below the storage root are shown from there."""
    wanted, artifact = job.submission, job.artifact
    return JobView(
        id=job.id,
        state=job.state,
        title=wanted.title,
        volume=wanted.volume,
        priority=wanted.priority.name.lower(),
        device=wanted.device,
        packs=wanted.packs,
        container=storage.container(job),
        transient=wanted.transient,
        source=SourceView(kind=wanted.source.kind, path=_shown(wanted.source, storage)),
        recipe=in_camel_case(wanted.recipe.as_dict()),
        counts=CountsView(
            total=job.counts.total, done=job.counts.done, failed=job.counts.failed, cancelled=job.counts.cancelled
        ),
        created_at=job.created_at,
        updated_at=job.updated_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        reason=told(job.reason, language),
        retries=job.retries,
        artifact=artifact
        and ArtifactView(
            path=artifact.path, sha256=artifact.sha256, bytes=artifact.bytes, url=f"/v1/jobs/{job.id}/artifact"
        ),
        last_event=job.last_event,
    )


def _shown(source: JobSource, storage: StorageRoot) -> str:
    inside = source.path.is_relative_to(storage.root)
    return storage.relative(source.path) if inside else source.path.as_posix()


def page_view(page: Page, language: str) -> PageView:
    """The page; what is not known yet is null."""
    result = page.result
    made: dict[str, Any] = {}
    if result is not None:
        made = {
            "output": result.output,
            "bytes": result.bytes,
            "input_sha256": result.input_sha256,
            "output_sha256": result.output_sha256,
            "seconds": result.seconds,
            "computed": result.computed,
            "facts": in_camel_case(result.facts),
            "url": f"/v1/jobs/{page.job_id}/pages/{page.position}/image",
        }
    return PageView(
        position=page.position,
        name=page.name,
        state=page.state,
        attempt=page.attempt,
        error=told(page.failure, language),
        **made,
    )


def event_view(event: Event, language: str) -> dict[str, Any]:
    """The event, its error told and its priority named."""
    view = event.as_dict()
    for name in ("error", "reason"):
        if isinstance(view.get(name), Mapping):
            told_error = told(Failure.from_json(view[name]), language)
            view[name] = told_error and told_error.model_dump(by_alias=True)
    if "priority" in view:
        view["priority"] = Priority(view["priority"]).name.lower()
    result: dict[str, Any] = in_camel_case(view)
    return result


def in_camel_case(stored: Any) -> Any:
    """What is stored in snake_case, its names as the API's are; a sentence's own facts keep theirs."""
    if isinstance(stored, Mapping):
        if "template" in stored:
            return stored
        return {to_camel(name): in_camel_case(value) for name, value in stored.items()}
    if isinstance(stored, list | tuple):
        return [in_camel_case(value) for value in stored]
    return stored


def pull_view(state: PullState, language: str) -> PullView:
    """How a model's weights are coming."""
    return PullView(
        model=state.model,
        state=state.phase,
        bytes=state.bytes,
        total=state.total,
        error=told(state.failure, language),
    )


def model_view(card: Card, settings: Settings, pull: PullView | None = None) -> ModelView:
    """The card; looks for the weights' files, so it may wait for the disk."""
    levels = {variant.noise for variant in card.variants}
    return ModelView(
        name=card.name,
        title=card.title,
        is_default=card.name == DEFAULT_MODEL,
        purpose=card.purpose,
        scales=list(card.scales),
        noises=[noise_name(level) for level in sorted(levels, key=lambda level: (level is not None, level))],
        licence=card.licence,
        origin=card.origin,
        credit=card.credit,
        aliases=list(card.aliases),
        networks=len(card.variants),
        networks_here=sum(found_at(variant, settings) is not None for variant in card.variants),
        bytes=sum(variant.size_bytes for variant in card.variants),
        pull=pull,
    )


def _card_of(network: str, catalog: Catalog) -> str:
    with suppress(UnknownModelError):
        found = catalog.find(network)
        return found.card.name if isinstance(found, Choice) else found.name
    return ""


def _text(message: Message | None, language: str) -> str | None:
    return None if message is None else message.text(language)


def worker_view(state: WorkerState, catalog: Catalog, *, language: str = "en") -> WorkerView:
    """The worker, and what it really runs on."""
    return WorkerView(
        id=state.id,
        pid=state.pid,
        state=state.state,
        rss_bytes=state.rss_bytes,
        tasks=len(state.tasks),
        started_at=state.started_at,
        device=state.device,
        models=[
            OpenModelView(
                model=each.model,
                card=_card_of(each.model, catalog),
                runtime=each.runtime,
                device=each.device,
                dtype=each.dtype,
                fallback=_text(each.fallback, language),
            )
            for each in state.models
        ],
    )
