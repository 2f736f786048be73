"""Uploads: whole and durable or not there at all, within limits, under names that stay where they are put."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enlarger.errors import EnlargerError
from enlarger.server.form_sink import FormSink
from enlarger.server.problems import problem_response
from enlarger.server.refusals import BadRequestError
from enlarger.server.upload_names import UniqueNames, safe_upload_name
from enlarger.server.uploads import UploadLimits, receive_form, receive_raw

LIMITS = UploadLimits(max_bytes=3_000_000, max_files=3, max_fields=2, max_field_bytes=100, chunk_timeout_s=60.0)
BOUNDARY = "----limit"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def receiver(folder: Path, limits: UploadLimits) -> Starlette:
    async def form(request: Request) -> Response:
        try:
            upload = await receive_form(request, folder, limits)
        except EnlargerError as error:
            return problem_response(error, request)
        return JSONResponse(
            {"fields": upload.fields, "files": [[f.field, f.name, f.bytes, f.sha256] for f in upload.files]}
        )

    async def raw(request: Request) -> Response:
        try:
            file = await receive_raw(request, folder, "../picture", limits)
        except EnlargerError as error:
            return problem_response(error, request)
        return JSONResponse([file.name, file.bytes])

    return Starlette(routes=[Route("/form", form, methods=["POST"]), Route("/raw", raw, methods=["POST"])])


def post(folder: Path, path: str, limits: UploadLimits = LIMITS, **options: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(receiver(folder, limits))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.post(path, **options)

    return anyio.run(once)


async def in_pieces(data: bytes, size: int, pause_s: float = 0.0) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]
        await anyio.sleep(pause_s)


def part(head: str, body: bytes) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000_000])
def test_a_form_in_pieces_of_any_size(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * 8 + b"\r\n--" + BOUNDARY[:-1].encode()
    body = part('name="title"', "卷一".encode()) + part('name="files"; filename="卷/頁 1.png"', data) + END
    answer = post(tmp_path / "in", "/form", content=in_pieces(body, size), headers=MULTIPART).json()
    digest = hashlib.sha256(data).hexdigest()
    assert answer == {"fields": {"title": "卷一"}, "files": [["files", "卷/頁 1.png", len(data), digest]]}
    assert (tmp_path / "in/卷/頁 1.png").read_bytes() == data


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (part('name="f"; filename="a"', b"x" * 3_000_001) + END, 413),
        (b"".join(part(f'name="f"; filename="{n}"', b"x") for n in range(4)) + END, 413),
        (b"".join(part(f'name="{n}"', b"x") for n in range(3)) + END, 413),
        (part('name="long"', b"x" * 101) + END, 413),
        (part('name="f"; filename="a"', b"x"), 400),  # it never ends
        (part('filename="a"', b"x") + END, 400),
        (b"nothing of the kind", 400),
        (b"", 400),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_or_broken_leaves_nothing(tmp_path: Path, body: bytes, status: int, announced: bool) -> None:
    content = body if announced else in_pieces(body, 100_000)
    answer = post(tmp_path / "in", "/form", content=content, headers=MULTIPART)
    assert answer.status_code == status, answer.text
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize("headers", [b"X: 1\r\n" * 1000, b"X: " + b"1" * 100_000, b"X" * 100_000])
def test_a_part_with_endless_headers_is_refused_unread(tmp_path: Path, headers: bytes) -> None:
    begun = f"--{BOUNDARY}\r\n".encode() + headers  # they never end: refused where the limit is, not at the end
    sink = FormSink(MULTIPART["Content-Type"], tmp_path / "upload", LIMITS)
    with pytest.raises(BadRequestError):
        sink.feed(begun)


def test_a_form_has_to_be_one(tmp_path: Path) -> None:
    assert post(tmp_path / "in", "/form", json={}).status_code == 415
    assert (
        post(tmp_path / "in", "/form", content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    )


@pytest.mark.parametrize("path", ["/form", "/raw"])
def test_a_body_that_stands_still_is_given_up(tmp_path: Path, path: str) -> None:
    body = part('name="f"; filename="a"', b"x" * 3000) + END
    limits = replace(LIMITS, chunk_timeout_s=0.2)
    answer = post(tmp_path / "in", path, limits, content=in_pieces(body, 2000, pause_s=2), headers=MULTIPART)
    assert (answer.status_code, answer.json()["code"]) == (408, "slow_body")
    assert answer.headers["retry-after"]
    assert not (tmp_path / "in").exists()


def test_a_raw_body_becomes_one_file(tmp_path: Path) -> None:
    assert post(tmp_path / "in", "/raw", content=in_pieces(b"x" * 2_500_000, 65536)).json() == ["picture", 2_500_000]
    assert post(tmp_path / "empty", "/raw").status_code == 400
    assert post(tmp_path / "large", "/raw", content=in_pieces(b"x" * 3_000_001, 65536)).status_code == 413
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in"]


def test_a_disk_without_room_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100}))
    answer = post(tmp_path / "in", "/raw", content=b"x" * 1000)
    assert (answer.status_code, answer.json()["code"]) == (503, "disk_full")
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\scans\\卷 1\\a.png", "scans/卷 1/a.png"),
        ("..\\..\\a.png", "a.png"),
        ("a/./b//c.png", "a/b/c.png"),
        ("a\0b.png", "a_b.png"),
        ("CON.png", "CON_.png"),
        ("...", "___"),
        ("", "file"),
        ("..", "file"),
        (" / ", "file"),
    ],
)
def test_names_are_made_harmless(raw: str, name: str) -> None:
    assert safe_upload_name(raw) == name


@pytest.mark.parametrize("folder", ["", "卷/"])
def test_names_that_are_too_long_stay_apart_when_they_are_cut(folder: str) -> None:
    cut = [safe_upload_name(f"{folder}{'長' * 200} {number}.png") for number in range(3)]
    assert len(set(cut)) == len(cut)
    assert all(name.startswith(f"{folder}長長長") and name.endswith(".png") for name in cut)
    assert all(len(PurePosixPath(name).name.encode()) <= 180 for name in cut)


@given(st.text(max_size=300))
def test_no_name_leads_out(raw: str) -> None:
    path = PurePosixPath(safe_upload_name(raw))
    assert not path.is_absolute()
    assert path.parts
    assert not {"..", ".", ""} & set(path.parts)
    assert all(len(part.encode(errors="replace")) <= 255 for part in path.parts)


def test_every_name_is_given_once() -> None:
    names = UniqueNames()
    wanted = ("a.png", "A.png", "a.png", "b/a.png", "b", "a.png/c", "A.png/d", "a.png/c")
    assert [names.take(name) for name in wanted] == [
        "a.png", "A (2).png", "a (3).png", "b/a.png", "b (2)", "a (4).png/c", "A (4).png/d", "a (4).png/c (2)",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["a", "A", "a (2)", "a/b", "a/b/c", "b/a", "a (2)/x", "A/B"]), max_size=30))
def test_no_file_is_given_twice_and_none_is_a_folder(wanted: list[str]) -> None:
    names = UniqueNames()
    given_names = [names.take(name).casefold() for name in wanted]
    folders = {parent.as_posix() for name in given_names for parent in PurePosixPath(name).parents}
    assert len(set(given_names)) == len(given_names)
    assert not folders & set(given_names)


def test_many_files_of_one_name_take_no_time() -> None:
    names = UniqueNames()
    assert len({names.take("a.png") for _ in range(10_000)}) == 10_000
