"""The door: tokens, sessions, hosts, origins and headers, before every facade."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import run
from asking import asked, handshake
from memory_jobs import MemoryJobs
from starlette.applications import Starlette

from enlarger.errors import InputError
from enlarger.server import create_app
from enlarger.server.sessions import COOKIE, LIFETIME_S, Sessions
from enlarger.settings import Settings

TOKEN = "b2c0ffee" * 4
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LAN = "http://192.168.1.5:8001"
Making = Callable[..., MemoryJobs]

_SOCKETS = ("/v1/jobs/x/events", "/v1/live", "/ws/jobs/x")


def ask(memory: Making, method: str, path: str, *, at: dict[str, str] | None = None, **options: Any) -> httpx.Response:
    """One request to a server whose settings are those options that begin with `set_`."""
    settings = {name[4:]: options.pop(name) for name in list(options) if name.startswith("set_")}
    app = app_of(memory(**settings))

    async def once() -> httpx.Response:
        async with asked(app, **(at or {})) as http:
            return await http.request(method, path, **options)

    return run(once)


def app_of(jobs: Any) -> Starlette:
    return create_app(jobs.settings, jobs)


def test_loopback_needs_no_token(memory: Making) -> None:
    assert ask(memory, "GET", "/v1/jobs").status_code == 200
    assert ask(memory, "GET", "/v1/jobs", at={"base_url": "http://[::1]:8001", "client": "::1"}).status_code == 200


@pytest.mark.parametrize("at", [{"base_url": LAN, "client": "192.168.1.9"}, {"base_url": LAN}, {"client": "10.0.0.2"}])
def test_without_a_token_nobody_else_is_answered(memory: Making, at: dict[str, str]) -> None:
    for path in ("/v1/jobs", "/jobs", "/health", "/docs", "/ui/", "/"):
        answer = ask(memory, "GET", path, at=at)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "ENLARGER_TOKEN" in answer.json()["remedy"]
    assert ask(memory, "GET", "/healthz", at=at).json() == {"status": "ok"}
    assert ask(memory, "GET", "/readyz", at=at).json()["status"] == "not ready"


@pytest.mark.parametrize("path", ["/v1/jobs", "/jobs", "/models", "/api/models", "/ui.x", "/uix", "/nowhere"])
def test_with_a_token_it_is_needed_on_loopback_too(memory: Making, path: str) -> None:
    answer = ask(memory, "GET", path, set_token=TOKEN)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["detail"]  # what the manga service's clients show
    assert ask(memory, "GET", path, set_token=TOKEN, headers=BEARER).status_code != 401


@pytest.mark.parametrize(
    "wrong",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer 中文", TOKEN],
)
def test_bad_tokens_are_refused(memory: Making, wrong: str) -> None:
    answer = ask(memory, "GET", "/v1/jobs", set_token=TOKEN, headers={"Authorization": wrong.encode()})
    assert answer.status_code == 401


def test_the_token_opens_the_door_to_others(memory: Making) -> None:
    at = {"base_url": LAN, "client": "192.168.1.9"}
    assert ask(memory, "GET", "/v1/jobs", at=at, set_token=TOKEN, headers=BEARER).status_code == 200
    for path in ("/healthz", "/docs", "/docs/start.js", "/openapi.json", "/openapi/manga.json", "/"):
        assert ask(memory, "GET", path, at=at, set_token=TOKEN).status_code == 200
    for path in ("/readyz", "/ui/", "/ui/shelf"):
        assert ask(memory, "GET", path, at=at, set_token=TOKEN).status_code in (200, 503)


def test_strangers_hear_that_the_server_cannot_work_but_not_about_its_folders(memory: Making) -> None:
    full: Any = {"set_token": TOKEN, "set_min_free_bytes": 1 << 62}
    stranger = ask(memory, "GET", "/readyz", **full).json()
    assert [set(reason) for reason in stranger["reasons"]] == [{"code"}, {"code"}]
    assert all(reason["message"] for reason in ask(memory, "GET", "/readyz", headers=BEARER, **full).json()["reasons"])


def test_the_token_may_come_from_a_file(memory: Making, tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text(f"  {TOKEN}\n")
    assert ask(memory, "GET", "/v1/jobs", set_token_file=file, headers=BEARER).status_code == 200
    assert ask(memory, "GET", "/v1/jobs", set_token_file=file).status_code == 401
    with pytest.raises(InputError):
        app_of(memory(token_file=tmp_path / "missing"))


def test_a_browser_turns_the_token_into_a_cookie(memory: Making) -> None:
    app = app_of(memory(token=TOKEN))

    async def visit() -> None:
        async with asked(app) as http:
            assert (await http.post("/v1/session", json={"token": "guess"})).status_code == 401
            opened = await http.post("/v1/session", json={"token": TOKEN})
            assert opened.status_code == 204
            cookie = opened.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "samesite=strict" in cookie.lower()
            assert TOKEN not in cookie
            assert (await http.get("/v1/jobs")).status_code == 200
            kept = {"Cookie": f"a=b; {COOKIE}={http.cookies[COOKIE]}"}
            for path in _SOCKETS:
                assert (await handshake(app, path, kept))[0]["type"] == "websocket.accept"
                assert (await handshake(app, path, {}))[0]["type"] == "websocket.close"
            assert (await http.delete("/v1/session")).status_code == 204
            assert (await http.get("/v1/jobs", headers=kept)).status_code == 401
            for path in _SOCKETS:
                assert (await handshake(app, path, kept))[0]["type"] == "websocket.close"

    run(visit)


def test_sessions_end() -> None:
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    first = sessions.open()
    assert sessions.is_open(first)
    assert not sessions.is_open("")
    assert not sessions.is_open(first + "x")
    now[0] = LIFETIME_S + 1
    assert not sessions.is_open(first)
    assert len({sessions.open() for _ in range(1200)}) == 1200  # the oldest go, the memory does not grow


@pytest.mark.parametrize(
    ("host", "welcome"),
    [
        ("127.0.0.1:8001", True),
        ("localhost", True),
        ("LOCALHOST.:8001", True),
        ("[::1]:8001", True),
        ("192.168.1.5:8001", True),  # an address cannot be rebound
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:8001", False),
        ("", False),
    ],
)
def test_names_that_are_not_the_servers_are_refused(memory: Making, host: str, welcome: bool) -> None:
    answer = ask(memory, "GET", "/v1/jobs", headers={"Host": host})
    assert (answer.status_code == 200) is welcome
    assert welcome or answer.json()["code"] == "wrong_host"


def test_a_refused_name_is_named(memory: Making) -> None:
    answer = ask(memory, "GET", "/v1/jobs", headers={"Host": "Box.Local:8001", "Accept-Language": "en"})
    assert "“box.local”" in answer.json()["detail"]


def test_names_may_be_allowed(memory: Making) -> None:
    for allowed in ("enlarger, Box.Local", "*"):
        answer = ask(memory, "GET", "/v1/jobs", set_allowed_hosts=allowed, headers={"Host": "box.local:8001"})
        assert answer.status_code == 200
    assert ask(memory, "GET", "/jobs", headers={"Host": "box.local"}).status_code == 421


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("http://127.0.0.1:8001", True),
        ("http://127.0.0.1:8002", False),
        ("http://localhost:8001", False),  # another origin than the one the page is called by
        ("tauri://localhost", True),
        ("http://tauri.localhost", True),
        ("https://tauri.localhost", True),
        ("https://reader.example", True),
        ("https://evil.example", False),
        ("null", False),
        ("file://", False),
        ("http://", False),
    ],
)
def test_only_known_pages_may_change_something(memory: Making, origin: str, welcome: bool) -> None:
    settings = {"set_cors_origins": "https://reader.example/"}
    for path in ("/v1/jobs", "/jobs", "/convert"):
        answer = ask(memory, "POST", path, headers={"Origin": origin}, **settings)
        assert (answer.status_code != 403) is welcome
    assert ask(memory, "GET", "/v1/jobs", headers={"Origin": origin}, **settings).status_code == 200
    app = app_of(memory(cors_origins="https://reader.example"))

    async def connect() -> set[str]:
        headers = {"Host": "127.0.0.1:8001", "Origin": origin}
        return {(await handshake(app, path, headers))[0]["type"] for path in _SOCKETS}

    assert run(connect) == {"websocket.accept" if welcome else "websocket.close"}


def test_the_own_origin_is_known_behind_a_proxy_that_ends_tls(memory: Making) -> None:
    headers = {"Host": "enlarger.example", "Origin": "https://enlarger.example"}
    answer = ask(memory, "DELETE", "/v1/cache", set_allowed_hosts="enlarger.example", headers=headers)
    assert answer.status_code == 200


def test_other_origins_are_told_what_they_may_read(memory: Making) -> None:
    allowed = ask(memory, "GET", "/v1/jobs", headers={"Origin": "tauri://localhost"})
    assert allowed.headers["access-control-allow-origin"] == "tauri://localhost"
    assert allowed.headers["access-control-allow-credentials"] == "true"
    other = ask(memory, "GET", "/v1/jobs", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert "Origin" in other.headers["vary"]
    anyone = ask(memory, "GET", "/v1/jobs", set_cors_origins="*", headers={"Origin": "https://any.example"})
    assert anyone.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in anyone.headers


def test_preflights_are_answered_without_a_token(memory: Making) -> None:
    headers = {
        "Origin": "tauri://localhost",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = ask(memory, "OPTIONS", "/v1/jobs", set_token=TOKEN, headers=headers)
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    refused = ask(memory, "OPTIONS", "/v1/jobs", headers={**headers, "Origin": "https://evil.example"})
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/v1/jobs", "/jobs", "/docs", "/nowhere", "/healthz"])
def test_every_answer_is_guarded_by_headers(memory: Making, path: str) -> None:
    headers = ask(memory, "GET", path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_requests_have_an_id(memory: Making) -> None:
    assert ask(memory, "GET", "/healthz", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    forged = ask(memory, "GET", "/healthz", headers={"X-Request-Id": "a b\tc"}).headers["x-request-id"]
    assert len(forged) == 32


def test_only_the_probes_themselves_are_left_out_of_the_log(memory: Making, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "enlarger.server")
    for path in ("/healthz", "/readyz", "/x/healthz", "/v1/jobs/healthz", "/healthz/"):
        ask(memory, "GET", path)
    lines = [vars(record) for record in caplog.records if record.msg == "request"]
    assert [line["path"] for line in lines] == ["/x/healthz", "/v1/jobs/healthz", "/healthz/"]


@pytest.mark.parametrize("path", ["/v1/jobs/j-1", "/jobs/j-1/report", "/api/jobs/j-1", "/v1/jobs/j-1/retry"])
def test_a_line_names_the_job_that_it_is_about(memory: Making, caplog: pytest.LogCaptureFixture, path: str) -> None:
    caplog.set_level("INFO", "enlarger.server")
    ask(memory, "GET", path)
    ask(memory, "GET", "/v1/jobs")
    about, other = (vars(record) for record in caplog.records if record.msg == "request")
    assert (about["job"], about["method"]) == ("j-1", "GET")
    assert about["status"] in (404, 405)
    assert "job" not in other


def test_nothing_is_printed_where_nobody_set_up_a_log(memory: Making, capfd: pytest.CaptureFixture[str]) -> None:
    """A line printed from the event loop waits for whoever reads it: only a process's owner decides on a log."""
    ask(memory, "GET", "/v1/jobs")
    assert capfd.readouterr() == ("", "")


def test_small_bodies_are_small(memory: Making) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65536

    json_type = {"Content-Type": "application/json"}
    for path in ("/v1/jobs", "/jobs", "/v1/session"):
        announced = ask(memory, "POST", path, content=b" " * (1 << 20) + b"1", headers=json_type)
        assert (announced.status_code, announced.json()["code"]) == (413, "too_large")
        streamed = ask(memory, "POST", path, content=pieces(), headers=json_type)
        assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")


_PICTURES = ("image/png", "application/octet-stream", "multipart/form-data; boundary=b")
_SMALL = [
    *(("POST", path, kind) for path in ("/v1/session", "/jobs", "/api/jobs", "/jobs/x/resume") for kind in _PICTURES),
    *(("POST", path, "image/png") for path in ("/v1/jobs", "/v1/jobs/x/cancel", "/v1/upscale/", "/x/convert", "/x")),
    *(("PUT", path, kind) for path in ("/v1/upscale", "/convert", "/v1/jobs") for kind in _PICTURES),
    ("DELETE", "/v1/session", "image/png"),
    ("PATCH", "/v1/jobs/x/priority", "image/png"),
    ("POST", "/v1/jobs", "application/octet-stream"),
    ("POST", "/v1/jobs", "multipart/form-data-not"),
]


@pytest.mark.parametrize(("method", "path", "kind"), _SMALL)
def test_no_content_type_leads_around_the_limit(memory: Making, method: str, path: str, kind: str) -> None:
    answer = ask(memory, method, path, content=b" " * (1 << 20) + b"1", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/v1/upscale?scale=99", "/convert?scale=x", "/v1/jobs"])
def test_pictures_may_be_larger(memory: Making, path: str) -> None:
    kind = {"Content-Type": _PICTURES[-1]} if path == "/v1/jobs" else {}
    assert ask(memory, "POST", path, content=b" " * (1 << 20) + b"1", headers=kind).status_code != 413


def test_settings_from_the_environment_make_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE", "DATA", "CACHE"):
        monkeypatch.setenv(f"ENLARGER_{name}_DIR", str(tmp_path / name))
    monkeypatch.setenv("ENLARGER_TOKEN_FILE", str(tmp_path / "missing"))
    with pytest.raises(InputError):
        create_app(Settings())
