"""A client of the manga job service as anybody would write it who has the contract and not our code."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

State = dict[str, Any]
_TERMINAL = ("SUCCESS", "FAILED")
_POLL_S = 0.25
_LIMIT_S = 300.0


@dataclass(frozen=True)
class Reconciled:
    """The uploaded manifest against the artifact, by target name and digest of the output."""

    matched: list[str]
    missing: list[str]
    extra: list[str]
    mismatched: list[str]


class Artifact:
    """A downloaded zip, its ETag, and the report within."""

    def __init__(self, data: bytes, etag: str) -> None:
        self.data, self.etag = data, etag
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.report: dict[str, Any] = json.loads(self.members["artifact-report.json"])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pages(self) -> dict[str, bytes]:
        return {name: data for name, data in self.members.items() if name != "artifact-report.json"}

    def reconcile(self, manifest: dict[str, Any]) -> Reconciled:
        """What the client does once the artifact is there."""
        told = {item["filename"]: item["sha256"] for item in self.report["items"]}
        found = {name: hashlib.sha256(data).hexdigest() for name, data in self.pages.items()}
        wanted = [file["target"] for file in manifest["files"]]
        there = [name for name in wanted if name in found]
        return Reconciled(
            matched=[name for name in there if found[name] == told.get(name)],
            missing=[name for name in wanted if name not in found],
            extra=[name for name in found if name not in wanted],
            mismatched=[name for name in there if found[name] != told.get(name)],
        )


class MangaClient:
    """The contract's calls; a context manager. `base_url` may have a prefix; `token` goes with HTTP and WebSocket."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._base_url = base_url.rstrip("/")
        self.http = httpx.Client(base_url=self._base_url, headers=self._headers, timeout=60)

    def __enter__(self) -> MangaClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def create(self, title: str, volume: str, kind: str, path: str, **params: Any) -> str:
        """Submit; `params` that equal the default are left out."""
        body: dict[str, Any] = {"title": title, "volume": volume, "input": {"type": kind, "path": path}}
        if params:
            body["params"] = params
        answer = self.http.post("/jobs", json=body)
        assert answer.status_code == 202, answer.text
        assert list(answer.json()) == ["jobId"]
        return str(answer.json()["jobId"])

    def state(self, job_id: str) -> State:
        return self._json(self.http.get(f"/jobs/{job_id}"))

    def cancel(self, job_id: str) -> State:
        return self._json(self.http.post(f"/jobs/{job_id}/cancel"))

    def resume(self, job_id: str, **other: str) -> State:
        return self._json(self.http.post(f"/jobs/{job_id}/resume", json=other or None))

    def report(self, job_id: str) -> State:
        return self._json(self.http.get(f"/jobs/{job_id}/report"))

    def watch(self, job_id: str) -> Iterator[State]:
        """Every state over the WebSocket until SUCCESS or FAILED; polling goes on where the socket breaks off."""
        try:
            with connect(self.socket_url(job_id), additional_headers=self._headers) as socket:
                while True:
                    state: State = json.loads(socket.recv(timeout=_LIMIT_S))
                    yield state
                    if state["status"] in _TERMINAL:
                        return
        except ConnectionClosed:
            yield from self.poll(job_id)

    def poll(self, job_id: str) -> Iterator[State]:
        """States over HTTP until SUCCESS or FAILED."""
        end = time.monotonic() + _LIMIT_S
        while (state := self.state(job_id))["status"] not in _TERMINAL:
            assert time.monotonic() < end, state
            yield state
            time.sleep(_POLL_S)
        yield state

    def close_code(self, job_id: str) -> int | None:
        """What the server closes the socket of this job with, at once."""
        with connect(self.socket_url(job_id), additional_headers=self._headers) as socket:
            with suppress(ConnectionClosed):
                socket.recv(timeout=_LIMIT_S)
            return socket.close_code

    def download(self, job_id: str) -> Artifact:
        answer = self.http.get(f"/jobs/{job_id}/artifact")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/zip"
        return Artifact(answer.content, answer.headers["ETag"])

    def has_changed(self, job_id: str, etag: str) -> bool:
        answer = self.http.get(f"/jobs/{job_id}/artifact", headers={"If-None-Match": etag})
        assert answer.status_code in (200, 304)
        return answer.status_code == 200

    def models(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._json(self.http.get("/models"))["models"]
        return found

    def health(self) -> State:
        return self._json(self.http.get("/health"))

    def socket_url(self, job_id: str) -> str:
        return f"{self._base_url.replace('http', 'ws', 1)}/ws/jobs/{job_id}"

    def _json(self, answer: httpx.Response) -> State:
        assert answer.status_code == 200, answer.text
        value: State = answer.json()
        return value
