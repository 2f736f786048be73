"""`enlarger serve`: ports, tokens, prefixes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from command_running import SMALL_MODEL, Enlarger, draw_folder, require_weights
from running_server import RunningServer, environment, running

from enlarger.cli import serve
from enlarger.cli.serving import Served
from enlarger.errors import StorageError
from enlarger.messages import msg

pytestmark = pytest.mark.slow  # nearly each test starts a server
posix = pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX does")


@pytest.fixture
def enlarger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Enlarger:
    for name in ("ENLARGER_TOKEN", "ENLARGER_TOKEN_FILE", "ENLARGER_STORAGE_DIR", "ENLARGER_WORKERS"):
        monkeypatch.setenv(name, "")  # so that what serve hands over is taken back after the test
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Enlarger(tmp_path, monkeypatch, capsys)


# ---- refused before anything starts ----


def test_off_loopback_there_must_be_a_token(enlarger: Enlarger) -> None:
    for host in ("0.0.0.0", "::", "nas.local"):
        done = enlarger("serve", "--host", host, "--port", "0")
        assert done.code == 2
        assert f"{host} can be reached by other machines" in done.err
        assert "--token-file" in done.err


def test_a_token_file_without_a_token_is_refused(enlarger: Enlarger, tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text("\n")
    done = enlarger("serve", "--token-file", "token.txt", "--port", "0")
    assert done.code == 3
    assert "token.txt: there is no token in this file." in done.err


def test_a_port_in_use_is_named(enlarger: Enlarger) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        done = enlarger("serve", "--port", str(port))
    assert done.code == 7
    assert f"Port {port} is in use" in done.err
    assert "choose another port" in done.err


def test_a_wrong_port_is_refused_in_both_languages(enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "less than or equal to 65535" in enlarger("serve", "--port", "70000").err


def test_an_application_that_cannot_be_loaded_is_said(enlarger: Enlarger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "APPLICATION", "enlarger.nowhere:create_app")
    done = enlarger("serve", "--port", "0")
    assert done.code == 7
    assert "enlarger.nowhere:create_app: the server cannot be loaded" in done.err


# ---- uvicorn around an application ----


async def application(scope: object, receive: object, send: object) -> None:
    raise AssertionError


def test_an_error_at_the_start_comes_home_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(scope: dict[str, str], receive: object, send: object) -> None:
        assert scope["type"] == "lifespan"
        await send({"type": "lifespan.startup.failed", "message": "Traceback (most recent call last)"})  # type: ignore[operator]
        raise StorageError(msg("the disk is away"))

    with pytest.raises(StorageError, match="the disk is away"):
        Served(broken, "", ready=lambda: None, tell=lambda _: None).run([])
    assert "Traceback" not in capsys.readouterr().err


def test_those_who_only_listen_are_sent_home_before_the_end() -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    ended = threading.Event()

    async def stream(_: Request) -> StreamingResponse:
        import asyncio

        async def pieces():  # type: ignore[no-untyped-def]
            yield b"first"
            while not ended.is_set():
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces())

    app = Starlette(routes=[Route("/", stream)])
    app.state.end_watches = ended.set
    (listening,) = serve.bound("127.0.0.1", (0,))
    url = serve.address(listening)
    served = Served(app, "", ready=lambda: None, tell=lambda _: None)
    thread = threading.Thread(target=served.run, args=([listening],))
    thread.start()
    with httpx.stream("GET", url) as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"first"
        served.should_exit = True
        assert list(pieces) == []  # the stream ended whole, it was not torn off
    thread.join(30)
    assert not thread.is_alive()


# ---- as a process ----


def test_it_says_where_it_is_and_ends_in_good_order(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0", "--root-path", "/pre/") as server:
        assert len(server.urls) == 2
        for url in server.urls:
            assert url.endswith("/pre")
            for each in (url, url.removesuffix("/pre")):  # the proxy may take the prefix off, or leave it
                assert httpx.get(f"{each}/healthz").status_code == 200
                assert httpx.get(f"{each}/v1/jobs").json()["items"] == []
        assert f"Storage root: {tmp_path / 'storage'}" in server.said
        assert f"Read and watch in a browser: {server.url}/ui/" in server.said
        assert f"How programs talk to it: {server.url}/docs" in server.said
        assert httpx.get(f"{server.url}/docs").status_code == 200
        assert server.stop() == 0
        assert "Stopping" in server.said
        assert "Traceback" not in server.said


@posix
def test_ctrl_c_ends_it_too(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.url
        assert server.stop(signal.SIGINT) == 0


def test_an_open_stream_does_not_keep_it(tmp_path: Path) -> None:
    (tmp_path / "storage" / "incoming" / "empty").mkdir(parents=True)
    with running(tmp_path) as server:
        job = _paused_job(server, tmp_path)
        with httpx.stream("GET", f"{server.url}/v1/jobs/{job}/events", timeout=60) as events:
            lines = events.iter_lines()
            assert any(line.startswith("data:") for line in lines)
            server.process.terminate()
            for _ in lines:
                pass
        assert server.process.wait(60) == 0
        assert "timeout graceful shutdown exceeded" not in server.said


def _paused_job(server: RunningServer, folder: Path) -> str:
    """A job that stays: its pages are there, and it does not begin."""
    draw_folder(folder / "storage" / "incoming" / "book", 2)
    job = httpx.post(f"{server.url}/v1/jobs", json={"path": "book"}).json()["id"]
    httpx.post(f"{server.url}/v1/jobs/{job}/pause")
    return str(job)


def test_one_server_a_storage_root(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        assert first.url
        (tmp_path / "second").mkdir()
        with running(tmp_path / "second", "--storage", str(tmp_path / "storage")) as second:
            assert second.process.wait(60) == 6
            assert str(tmp_path / "storage") in second.said
            assert "Traceback" not in second.said


def test_a_token_is_asked_for_off_loopback(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("friend\n")
    with running(tmp_path, "--host", "0.0.0.0", "--token-file", str(tmp_path / "token")) as server:
        url = server.url
        assert httpx.get(f"{url}/v1/jobs").status_code == 401
        assert httpx.get(f"{url}/v1/jobs", headers={"Authorization": "Bearer friend"}).status_code == 200
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert "friend" not in server.said


def test_json_logs_are_json(tmp_path: Path) -> None:
    with running(tmp_path, "--json-logs") as server:
        httpx.get(f"{server.url}/v1/jobs")
        server.stop()
        lines = [json.loads(line) for line in server.said.splitlines()]
    assert any("serves at" in line["event"] for line in lines)
    assert any(line.get("path") == "/v1/jobs" for line in lines)


def test_any_asgi_server_runs_the_factory(tmp_path: Path) -> None:
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "enlarger.server:create_app", "--factory", "--port", str(port)]
    variables = environment(tmp_path, {"ENLARGER_STORAGE_DIR": str(tmp_path / "storage")})
    process = subprocess.Popen(command, env=variables, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        assert _answers(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return httpx.get(url).status_code == 200
        except httpx.TransportError:
            time.sleep(0.1)
    return False


@posix
@pytest.mark.weights
def test_pages_in_hand_are_not_lost_and_done_ones_are_not_done_again(tmp_path: Path) -> None:
    require_weights()
    draw_folder(tmp_path / "storage" / "incoming" / "book", 30, side=200)
    with running(tmp_path) as server:
        body = {"path": "book", "model": SMALL_MODEL, "device": "fake"}
        job = httpx.post(f"{server.url}/v1/jobs", json=body).json()["id"]
        _wait_for(f"{server.url}/v1/jobs/{job}", lambda found: found["counts"]["done"] >= 2)
        assert server.stop() == 0
    with running(tmp_path) as server:
        _wait_for(f"{server.url}/v1/jobs/{job}", lambda found: found["state"] == "done")
        pages = httpx.get(f"{server.url}/v1/jobs/{job}/pages", params={"limit": 100}).json()["items"]
        events = httpx.get(f"{server.url}/v1/jobs/{job}/events").text
    assert [page["state"] for page in pages] == ["done"] * 30
    assert events.count('"type": "page_done"') == 30


def _wait_for(url: str, settled) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 120
    while not settled(found := httpx.get(url).json()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
