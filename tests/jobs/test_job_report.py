"""The report says what the manga contract asks, and for every page how it came about."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from enlarger.jobs import PageState, build_report, comparable
from enlarger.jobs.report import Member, in_report, report_json
from enlarger.messages import msg
from finished_jobs import JOB_ID, Finished, finish, sha256

_CONTRACT = ["jobId", "title", "volume", "processed", "total", "model", "outscale", "device", "summary", "items",
             "outputDir"]  # fmt: skip


def report_of(finished: Finished, **more: Any) -> dict[str, Any]:
    return build_report(finished.job, finished.pages, output_dir="outputs/x", **more)


def test_the_contract_comes_first_and_whole(tmp_path: Path) -> None:
    report = report_of(finish(tmp_path))
    assert list(report)[: len(_CONTRACT)] == _CONTRACT
    assert (report["jobId"], report["title"], report["volume"]) == (JOB_ID, "My Manga", "第1卷")
    assert (report["processed"], report["total"], report["summary"]) == (3, 3, {"processed": 3, "failed": 0})
    assert (report["model"], report["outscale"], report["device"]) == ("waifu2x-cunet", 2.0, "cpu")
    assert isinstance(report["outscale"], float)
    assert report["outputDir"] == "outputs/x"
    assert report["items"][0] == {"filename": "2.jpg", "sha256": sha256(b"larger page two"), "bytes": 15}


def test_items_and_pages_are_in_reading_order(tmp_path: Path) -> None:
    report = report_of(finish(tmp_path))
    assert [item["filename"] for item in report["items"]] == ["2.jpg", "10.jpg", "封面.jpg"]
    assert [page["source"] for page in report["pages"]] == ["2.png", "10.png", "封面.png"]


def test_the_model_is_called_as_the_client_called_it(tmp_path: Path) -> None:
    report = report_of(finish(tmp_path, params={"model": "realesr-animevideov3"}))
    assert report["model"] == "realesr-animevideov3"
    assert report["pages"][0]["model"] == "waifu2x-cunet"


def test_a_page_tells_how_it_came_about(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    page = report_of(finished)["pages"][0]
    assert (page["source"], page["filename"], page["state"]) == ("2.png", "2.jpg", "done")
    assert (page["inputSha256"], page["outputSha256"]) == (sha256(b"page two"), sha256(b"larger page two"))
    assert (page["bytes"], page["size"], page["sourceSize"]) == (15, [80, 100], [40, 50])
    assert page["recipe"] == finished.job.submission.recipe.as_dict()
    assert (page["runtime"], page["device"], page["dtype"]) == ("openvino", "cpu", "bf16")
    assert (page["passes"][0]["graph"], page["passes"][0]["weights"]) == ("g" * 64, "w" * 64)
    assert page["metadata"] == {"had": ["exif", "icc"], "kept": ["icc"]}
    assert page["notes"] == ["The EXIF is larger than JPEG can hold and was dropped."]
    assert (page["seconds"], page["error"]) == (1.5, None)


def test_a_failed_page_is_in_no_item_and_tells_why(tmp_path: Path) -> None:
    report = report_of(finish(tmp_path).failing("2.png"))
    assert (report["processed"], report["total"], report["summary"]) == (2, 3, {"processed": 2, "failed": 1})
    assert [item["filename"] for item in report["items"]] == ["10.jpg", "封面.jpg"]
    page = report["pages"][0]
    assert (page["state"], page["filename"], page["outputSha256"]) == ("failed", None, None)
    assert page["error"] == {"code": "bad_picture", "message": "2.png: is broken.", "remedy": "Get it again."}


def test_a_page_that_is_to_be_done_again_counts_as_none(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    pages = [replace(page, state=PageState.QUEUED) for page in finished.pages]
    report = build_report(finished.job, pages, output_dir="")
    assert (report["items"], report["summary"]) == ([], {"processed": 0, "failed": 0})
    assert report["device"] == "auto"


def test_a_page_computed_again_tells_of_both_arithmetics(tmp_path: Path) -> None:
    finished = finish(tmp_path)
    result = finished.pages[0].result
    assert result is not None
    passes = [*result.facts["passes"], {**result.facts["passes"][0], "dtype": "fp32"}]
    page = replace(finished.pages[0], result=replace(result, facts={**result.facts, "passes": passes}))
    assert build_report(finished.job, [page], output_dir="")["pages"][0]["dtype"] == "bf16, fp32"


def test_two_runs_differ_in_nothing_but_the_job_and_times(tmp_path: Path) -> None:
    first, second = finish(tmp_path / "1"), finish(tmp_path / "2", job_id="another")
    slower = []
    for page in second.pages:
        assert page.result is not None
        passes = [{**one, "seconds": 99.0} for one in page.result.facts["passes"]]
        facts = {**page.result.facts, "passes": passes, "encode_seconds": 7}
        slower.append(replace(page, attempt=3, result=replace(page.result, seconds=99.0, computed=False, facts=facts)))
    reports = report_of(first), build_report(second.job, slower, output_dir="outputs/y")
    assert reports[0] != reports[1]
    assert comparable(reports[0]) == comparable(reports[1])
    slower[0] = replace(slower[0], result=replace(slower[0].result, output_sha256="0"))  # type: ignore[arg-type,type-var]
    assert comparable(reports[0]) != comparable(build_report(second.job, slower, output_dir="outputs/y"))


def test_the_file_is_indented_and_unescaped(tmp_path: Path) -> None:
    report = report_of(finish(tmp_path), extras=[Member("说明.txt", "d", 4)], notes=["x"])
    text = report_json(report).decode()
    assert text.startswith('{\n  "jobId": ')
    assert "封面.jpg" in text
    assert json.loads(text) == report
    assert report["extras"] == [{"filename": "说明.txt", "sha256": "d", "bytes": 4}]


def test_a_report_does_not_tell_the_server_s_folders(tmp_path: Path) -> None:
    inner = msg("{path}: is broken.", path=tmp_path / "a.cbz")
    outer = msg(
        "{path}: {name} cannot be read ({reason}).", path=str(tmp_path / "b.cbz"), name="ch/1.png", reason=inner
    )
    assert in_report(outer) == "b.cbz: ch/1.png cannot be read (a.cbz: is broken.)."
