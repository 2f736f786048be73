"""Reading over HTTP: open, turn, hear that pages are sharp, fetch them, leave; settings, rules, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_workers import page_file
from httpx_sse import connect_sse
from job_making import folder_of, until
from test_live_socket import heard, live

from conftest import Service
from enlarger.jobs import Job

PIXELS = {"enabled": True, "model": "waifu2x-upconv7-anime", "scale": 2, "noise": None, "lookAhead": {"forward": 1}}


@pytest.fixture(autouse=True)
def _as_shipped(service: Service) -> Iterator[None]:
    """Whatever a test sets is set back."""
    service.http.patch("/v1/reader", json=PIXELS).raise_for_status()
    yield
    back = {**PIXELS, "quality": 90, "lossless": False, "lookAhead": {"forward": 1, "backward": 3}}
    service.http.patch("/v1/reader", json=back).raise_for_status()
    service.http.put("/v1/reader/rules", json={"enabled": False, "rules": []}).raise_for_status()


def book_of(service: Service, name: str, *widths: int, seed: int = 0) -> str:
    """A folder of pages on the shelf; its id."""
    folder_of(service.folder(name), *widths, seed=seed)
    items = service.http.get("/v1/shelf/items", params={"root": "incoming", "q": name}).json()["items"]
    return next(item["id"] for item in items if item["title"] == name)


def turned(service: Service, book: str, page: int, *also: int) -> list[dict[str, Any]]:
    answer = service.http.put(f"/v1/reader/books/{book}/position", json={"page": page, "also": list(also)})
    answer.raise_for_status()
    pages: list[dict[str, Any]] = answer.json()["pages"]
    return pages


def page_of(service: Service, book: str, index: int) -> dict[str, Any]:
    pages = service.http.get(f"/v1/reader/books/{book}").json()["pages"]
    return next((page for page in pages if page["page"] == index), {"status": "none"})


def becomes(service: Service, book: str, index: int, status: str) -> dict[str, Any]:
    until(lambda: page_of(service, book, index)["status"] == status, f"{page_of(service, book, index)}: not {status}")
    return page_of(service, book, index)


def test_a_page_that_is_shown_becomes_sharp_and_the_next_one_before_it_is_turned(service: Service) -> None:
    book = book_of(service, "read", 60, 61, 62)
    with live(service) as socket:
        wanted = turned(service, book, 0)
        assert [page["page"] for page in wanted] == [0, 1]
        told = heard(socket, lambda message: message["type"] == "upscale-ready" and message["status"] == "completed")
        ready = told[-1]
    assert ready["bookId"] == book
    assert ready["pageIndex"] == ready["page"]
    assert ready["upscaledSize"] == [ready["width"], ready["height"]] == [2 * n for n in ready["originalSize"]]
    assert Path(ready["cachePath"]).is_file()  # a client on this machine
    first, second = (becomes(service, book, index, "completed") for index in (0, 1))
    assert (first["isPreload"], second["isPreload"]) == (False, True)
    assert first["model"] == PIXELS["model"]
    assert page_of(service, book, 2)["status"] in ("none", "original")


def test_reading_is_told_as_server_sent_events_too(service: Service) -> None:
    book = book_of(service, "by-sse", 63)
    with connect_sse(service.http, "GET", "/v1/reader/events") as source:
        assert source.response.status_code == 200
        turned(service, book, 0)
        for event in source.iter_sse():
            assert event.event == "upscale-ready"
            if json.loads(event.data)["status"] == "completed":
                break


def test_leaving_a_book_stops_its_work(service: Service) -> None:
    page_file(service.folder("left-book"), "a.png", 0, 150, 150)
    book = book_of(service, "left-book")
    turned(service, book, 0)
    until(lambda: service.room.begun(150), "it never began")
    assert service.http.get("/v1/reader").json()["openBooks"] == [book]
    assert service.http.delete(f"/v1/reader/books/{book}").status_code == 204
    assert service.http.get("/v1/reader").json()["openBooks"] == []
    until(lambda: not jobs_of_readers(service), "its job was never called off")
    service.room.open(150)


def jobs_of_readers(service: Service) -> list[Job]:
    jobs, _ = service.room.jobs.find(transient=True, limit=500)
    return [job for job in jobs if job.submission.owner == "reader" and not job.state.is_final]


def test_off_shows_originals_and_on_goes_on(service: Service) -> None:
    page_file(service.folder("switched"), "a.png", 0, 151, 151)
    book = book_of(service, "switched")
    turned(service, book, 0)
    until(lambda: service.room.begun(151))
    with live(service) as socket:
        assert service.http.patch("/v1/reader", json={"enabled": False}).json()["enabled"] is False
        heard(socket, lambda message: message["type"] == "reader" and message["enabled"] is False)
    assert becomes(service, book, 0, "original")["url"] is None
    assert service.http.get("/v1/reader/stats").json()["pendingTasks"] == 0
    service.room.open(151)
    service.http.patch("/v1/reader", json={"enabled": True})
    becomes(service, book, 0, "completed")


def test_a_page_and_a_book_are_cancelled(service: Service) -> None:
    for name in ("a.png", "b.png"):
        page_file(service.folder("called-off"), name, 3, 152, 152)
    book = book_of(service, "called-off")
    turned(service, book, 0)
    assert service.http.delete(f"/v1/reader/books/{book}/pages/1").status_code == 204
    becomes(service, book, 1, "cancelled")
    assert service.http.delete(f"/v1/reader/books/{book}/pages").status_code == 204
    becomes(service, book, 0, "cancelled")
    turned(service, book, 0)
    assert service.http.delete("/v1/reader/requests").status_code == 204
    becomes(service, book, 0, "cancelled")
    service.room.open(152)


def test_a_broken_page_says_why_and_the_reader_goes_on(service: Service) -> None:
    folder = folder_of(service.folder("one-broken"), 64)
    (folder / "00.png").write_bytes(b"no picture")
    book = book_of(service, "one-broken")
    turned(service, book, 0)
    failed = becomes(service, book, 0, "failed")
    assert failed["error"]["code"]
    assert failed["error"]["message"]
    becomes(service, book, 1, "completed")
    page_file(folder, "00.png", width=67)
    assert service.http.delete(f"/v1/reader/books/{book}/pages/0").status_code == 204  # the page's Retry
    assert turned(service, book, 0)[0]["status"] != "failed"
    becomes(service, book, 0, "completed")


def test_earlier_readers_ask_by_paths(service: Service) -> None:
    book = book_of(service, "by-path", 65, 66)
    folder = service.folder("by-path")
    request = {
        "bookPath": str(folder),
        "pageIndex": 0,
        "imagePath": str(folder / "02.png"),
        "imageHash": "client-s-own",
        "priority": "current",
        "modelName": "upconv_7_anime_style_art_rgb",
        "unknown": "keys are passed over",
    }
    with live(service) as socket:
        answer = service.http.post("/v1/reader/requests", json=request)
        assert (answer.status_code, answer.json()["page"]) == (200, 1)
        ready = heard(socket, lambda told: told["type"] == "upscale-ready" and told["status"] == "completed")[-1]
    assert (ready["bookId"], ready["imageHash"], ready["bookPath"]) == (book, "client-s-own", folder.as_posix())
    around = {
        "bookPath": str(folder),
        "centerIndex": 1,
        "totalPages": 2,
        "imageInfos": [{"pageIndex": 0, "imagePath": str(folder / "01.png"), "hash": "h"}],
        "modelName": "upconv_7_anime_style_art_rgb",
    }
    (page,) = service.http.post("/v1/reader/preloads", json=around).json()["pages"]
    assert page["page"] == 0
    becomes(service, book, 0, "completed")
    stats = service.http.get("/v1/reader/stats").json()
    assert stats["completedCount"] >= 2
    assert stats["isEnabled"] is True
    assert set(stats) >= {"queueWaitAvgMs", "dedupeHitRate", "regexCacheHitRate", "memoryCacheBytes"}


@pytest.mark.parametrize("path", ["/etc", "/etc/../etc/passwd", "incoming", "{incoming}/../../secret", "C:\\books"])
def test_a_book_that_is_not_on_the_shelf_is_not_read(service: Service, path: str) -> None:
    body = {"bookPath": path.replace("{incoming}", str(service.room.jobs.storage.incoming)), "pageIndex": 0}
    answer = service.http.post("/v1/reader/requests", json=body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["code"] in ("unknown_book", "bad_input", "bad_book")


def test_an_unknown_book_is_404(service: Service) -> None:
    unknown = "aW5jb21pbmc6bm9uZQ"
    for answer in (
        service.http.post(f"/v1/reader/books/{unknown}/open"),
        service.http.put(f"/v1/reader/books/{unknown}/position", json={"page": 0}),
        service.http.post("/v1/reader/rules/test", json={"bookId": unknown}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_book")
    book = book_of(service, "one-page", 67)
    assert service.http.put(f"/v1/reader/books/{book}/position", json={"page": 9}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scale": 99}, "invalid"),
        ({"model": "no-such-model"}, "unknown_model"),
        ({"noise": "loud"}, "invalid"),
        ({"unknown": 1}, "invalid"),
        ({"lookAhead": {"forward": -1}}, "invalid"),
        ({"model": "realesrgan-x4plus-anime", "noise": 3}, "bad_recipe"),
    ],
)
def test_settings_that_cannot_be_are_refused(service: Service, changes: dict[str, Any], code: str) -> None:
    before = service.http.get("/v1/reader").json()
    answer = service.http.patch("/v1/reader", json=changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert service.http.get("/v1/reader").json() == before


def test_settings_change_one_by_one(service: Service) -> None:
    changed = service.http.patch("/v1/reader", json={"quality": 80, "noise": "1", "lookAhead": {"backward": 0}}).json()
    assert (changed["quality"], changed["noise"]) == (80, 1)
    assert changed["lookAhead"] == {"forward": 1, "backward": 0}
    assert changed["model"] == PIXELS["model"]
    assert service.http.get("/v1/reader").json() == changed


# ---- rules ----

LARGE = {"id": "large", "name": "Large", "match": {"minWidth": 68}, "skip": True}


def test_a_rule_is_written_tried_and_obeyed(service: Service) -> None:
    book = book_of(service, "ruled", 68, 69)
    ask = {"bookId": book, "page": 0}
    assert service.http.post("/v1/reader/rules/test", json=ask).json()["outcome"] == "enlarge"
    unsaved = service.http.post("/v1/reader/rules/test", json={**ask, "rules": [LARGE]}).json()
    assert (unsaved["outcome"], unsaved["rule"]) == ("skip", {"id": "large", "name": "Large"})
    assert unsaved["trace"][0]["checks"] == [{"condition": "minWidth", "wanted": "68", "found": "68", "passed": True}]
    saved = service.http.put("/v1/reader/rules", json={"enabled": True, "rules": [LARGE]})
    assert saved.json()["rules"][0]["match"]["minWidth"] == 68
    assert service.http.get("/v1/reader/rules").json() == saved.json()
    turned(service, book, 0)
    skipped = becomes(service, book, 0, "skipped")
    assert skipped["rule"] == {"id": "large", "name": "Large"}
    assert "Large" in skipped["reason"]
    off = service.http.post("/v1/reader/rules/test", json={**ask, "enabled": False}).json()
    assert (off["outcome"], off["recipe"]["model"]) == ("enlarge", PIXELS["model"])


def test_a_page_that_need_not_exist_can_be_asked_about(service: Service) -> None:
    facts = {"width": 500, "height": 700, "fileType": "jpg", "bookPath": "/m/a.cbz", "pagePath": "/m/a.cbz inner=1.jpg"}
    rule = {**LARGE, "match": {"pageInclude": r"^1\.jpg$", "innerPath": True}}
    answer = service.http.post("/v1/reader/rules/test", json={"facts": facts, "rules": [rule]}).json()
    assert (answer["outcome"], answer["trace"][0]["matched"]) == ("skip", True)


def test_a_bad_pattern_is_an_error_that_names_the_rule(service: Service) -> None:
    bad = {**LARGE, "match": {"bookInclude": "(unclosed"}}
    answer = service.http.put("/v1/reader/rules", json={"enabled": True, "rules": [bad]})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_rule")
    assert "Large" in answer.json()["detail"]
    facts = {"width": 5, "height": 5}
    tried = service.http.post("/v1/reader/rules/test", json={"facts": facts, "rules": [bad]}).json()
    assert tried["trace"][0]["problem"]


def test_flat_conditions_go_in_and_come_out(service: Service) -> None:
    flat = {
        "upscaleConditionsEnabled": True,
        "upscaleConditions": [
            {
                "id": "1",
                "name": "小图",
                "enabled": True,
                "priority": 0,
                "maxWidth": 800,
                "modelName": "cunet",
                "scale": 2,
            }
        ],
    }
    put = service.http.put("/v1/reader/conditions", json=flat)
    assert put.status_code == 200, put.text
    condition = service.http.get("/v1/reader/conditions").json()["upscaleConditions"][0]
    assert condition.items() >= flat["upscaleConditions"][0].items()  # type: ignore[index]
    rules = service.http.get("/v1/reader/rules").json()
    assert (rules["enabled"], rules["rules"][0]["match"]["maxWidth"]) == (True, 800)
    wrong = service.http.put("/v1/reader/conditions", json={"upscaleConditions": [{"minWidth": -1}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_rule")


def test_presets_are_rules_that_can_be_saved(service: Service) -> None:
    english = service.http.get("/v1/reader/presets").json()["presets"]
    assert len({preset["title"] for preset in english}) == len(english) > 0
    saved = service.http.put(
        "/v1/reader/rules", json={"enabled": True, "rules": [preset["rule"] for preset in english]}
    )
    assert saved.status_code == 200, saved.text


def test_results_are_dropped(service: Service) -> None:
    book = book_of(service, "dropped", 70)
    service.http.delete("/v1/reader/results").raise_for_status()  # of books that earlier tests left a moment ago
    turned(service, book, 0)
    becomes(service, book, 0, "completed")
    assert service.http.get("/v1/cache").json()["readerCount"] == 1
    assert service.http.delete("/v1/reader/results").json()["removed"] >= 1


def test_strangers_do_not_hear_where_files_lie(service: Service) -> None:
    book = book_of(service, "told-apart", 79)
    turned(service, book, 0)
    page = becomes(service, book, 0, "completed")
    assert "cachePath" not in page
    assert httpx.get(f"{service.url}/v1/reader/books/{book}").json()["pages"][0]["page"] == 0
