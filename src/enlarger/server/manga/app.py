"""The manga contract as an application of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from enlarger.server.live import LiveHub
from enlarger.server.manga.endpoints import Endpoints
from enlarger.server.manga.errors import add_error_shapes
from enlarger.server.manga.service import MangaService
from enlarger.server.manga.socket import JobSocket
from enlarger.server.manga.wire import JobList, Problem

if TYPE_CHECKING:
    from enlarger.jobs import Jobs

_ARTIFACT: dict[str, Any] = {
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    "headers": {"ETag": {"schema": {"type": "string"}, "description": "SHA-256 of the file, hex, without quotes."}},
}


def build(jobs: Jobs, live: LiveHub) -> FastAPI:
    """The application over `jobs`; paths as in the contract, without prefix."""
    app = FastAPI(
        title="Enlarger: manga job service",
        description="Hand over a volume, watch it, fetch the artifact. Answers clients of the manga upscale service.",
        docs_url=None,
        redoc_url=None,
    )
    _add_jobs(app, Endpoints(MangaService(jobs)))
    app.add_api_websocket_route("/ws/jobs/{job_id}", JobSocket(jobs, live).__call__)
    add_error_shapes(app)
    return app


def _add_jobs(app: FastAPI, calls: Endpoints) -> None:
    one = "/jobs/{job_id}"
    app.add_api_route("/jobs", calls.create, methods=["POST"], status_code=202, responses=_problems(400, 429, 503))
    app.add_api_route("/jobs", calls.find, methods=["GET"], response_model=JobList, responses=_problems(400))
    app.add_api_route(one, calls.show, methods=["GET"], responses=_problems(404))
    app.add_api_route(one, calls.delete, methods=["DELETE"], status_code=204, responses=_problems(404, 409))
    app.add_api_route(f"{one}/resume", calls.resume, methods=["POST"], responses=_problems(400, 404, 409, 503))
    app.add_api_route(f"{one}/cancel", calls.cancel, methods=["POST"], responses=_problems(404))
    app.add_api_route(
        f"{one}/artifact",
        calls.artifact,
        methods=["GET"],
        response_model=None,
        responses={200: _ARTIFACT, 304: {"description": "If-None-Match names it."}, **_problems(404, 409, 410)},
    )
    app.add_api_route(f"{one}/report", calls.report, methods=["GET"], responses=_problems(404))
    app.add_api_route("/models", calls.models, methods=["GET"])
    app.add_api_route("/health", calls.health, methods=["GET"])


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in statuses}
