"""The machine: what workers truly run on, what the cache holds, which server this is."""

from __future__ import annotations

from math import inf
from typing import Annotated

from fastapi import APIRouter, Query

from enlarger import __version__
from enlarger.enhance import DEFAULT_MODEL, RenderCache, beside_renders, sweep_beside_renders
from enlarger.messages import LANGUAGES
from enlarger.runtimes import Calibration, list_calibrations
from enlarger.server.threads import in_thread
from enlarger.server.v1.service import Language, Service, Serving
from enlarger.server.v1.views import worker_view
from enlarger.server.v1.wire import CacheView, CalibrationView, Cleaned, Devices, OpenModelView, ServerView
from enlarger.settings import Settings

router = APIRouter(prefix="/v1", tags=["machine"])

_DAY_S = 86400.0


@router.get("/devices")
async def devices(service: Serving, language: Language) -> Devices:
    """The workers, and what each has open on which device: not what could be used, but what is."""
    states = await in_thread(service.jobs.states)
    workers = [worker_view(state, service.jobs.catalog, language=language) for state in states]
    return Devices(workers=workers, chosen=list(service.jobs.devices))


@router.get("/cache")
async def cache(service: Serving) -> CacheView:
    """What finished renders and what lies beside them take, and the reader's share of open books."""
    return await in_thread(_cache_view, service)


@router.delete("/cache")
async def clean(
    service: Serving,
    older_than_days: Annotated[
        float,
        Query(alias="olderThanDays", ge=0, le=36500, description="Only what was not used for so long; 0: everything."),
    ] = 30.0,
) -> Cleaned:
    """Drop renders; jobs' own outputs are never touched."""
    return await in_thread(_clean, service.jobs.settings, older_than_days)


@router.get("/server")
async def server(service: Serving, language: Language) -> ServerView:
    """Version and limits."""
    return await in_thread(_server, service, language)


def _cache_view(service: Service) -> CacheView:
    settings, reading = service.jobs.settings, service.reader.stats()
    files, size = _held(settings)
    return CacheView(
        total_files=files,
        total_size=size,
        cache_dir=str(settings.cache_dir),
        max_size=settings.cache_max_bytes,
        reader_count=reading.memory_cache_count,
        reader_size=reading.memory_cache_bytes,
    )


def _held(settings: Settings) -> tuple[int, int]:
    """Files and bytes."""
    held, beside = _cache(settings).stats(), beside_renders(settings)
    return held.total_files + beside.total_files, held.total_bytes + beside.total_bytes


def _clean(settings: Settings, older_than_days: float) -> Cleaned:
    _, before = _held(settings)
    # -inf: also what is dated in the future, by a clock that was wrong
    unused_for_s = older_than_days * _DAY_S if older_than_days else -inf
    removed = _cache(settings).clean(unused_for_s=unused_for_s) + sweep_beside_renders(
        settings, unused_for_s=unused_for_s
    )
    return Cleaned(removed_files=removed, freed_size=before - _held(settings)[1])


def _cache(settings: Settings) -> RenderCache:
    return RenderCache(settings.renders_dir, settings.cache_max_bytes)


def _server(service: Service, language: str) -> ServerView:
    settings = service.jobs.settings
    return ServerView(
        version=__version__,
        default_model=DEFAULT_MODEL,
        languages=list(LANGUAGES),
        workers=settings.workers,
        max_upload_bytes=service.limits.max_bytes,
        max_upload_files=service.limits.max_files,
        max_megapixels=settings.max_megapixels,
        max_waiting_jobs=settings.max_waiting_jobs,
        jobs={state.value: count for state, count in service.jobs.totals().items()},
        token_needed=bool(service.access.token),
        storage_dir=str(service.jobs.storage.root),
        allowed_dirs=[str(folder) for folder in settings.allowed_folders],
        offline=settings.offline,
        idle_unload_s=settings.idle_unload_s,
        in_use=_in_use(service, language),
        calibrations=[_calibration(each) for each in list_calibrations(settings)],
    )


def _in_use(service: Service, language: str) -> list[OpenModelView]:
    """Each once, though several workers have it."""
    catalog, states = service.jobs.catalog, service.jobs.states()
    views = [view for state in states for view in worker_view(state, catalog, language=language).models]
    return list({view.model_dump_json(): view for view in views}.values())


def _calibration(calibration: Calibration) -> CalibrationView:
    best = calibration.fastest([each.candidate for each in calibration.measurements], exact=False)
    speeds = {each.candidate: each.megapixels_per_s for each in calibration.measurements}
    if best is None:
        return CalibrationView(network=calibration.network, megapixels_per_s=0.0)
    return CalibrationView(
        network=calibration.network,
        runtime=best.runtime,
        device=best.device,
        dtype=best.dtype,
        megapixels_per_s=speeds[best],
    )
