"""Verifying finds every difference between an artifact, its report, its source and the client's manifest."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from enlarger.errors import BookError, InputError
from enlarger.jobs import Verification, pack, verify
from finished_jobs import VOLUME, Finished, finish

PAGES = ("2.jpg", "10.jpg", "封面.jpg")
Edit = Callable[[dict[str, bytes]], None]


@pytest.fixture
def finished(tmp_path: Path) -> Finished:
    return finish(tmp_path)


def packed(finished: Finished) -> Path:
    return finished.storage.root / pack(finished.job, finished.pages, storage=finished.storage).path


def edited(artifact: Path, edit: Edit) -> Path:
    """The archive with other members."""
    with ZipFile(artifact) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    changed = artifact.with_stem("changed")
    with ZipFile(changed, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return changed


def with_report(artifact: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    def edit(members: dict[str, bytes]) -> None:
        report = json.loads(members["artifact-report.json"])
        change(report)
        members["artifact-report.json"] = json.dumps(report).encode()

    return edited(artifact, edit)


def manifest_of(folder: Path, files: Mapping[str, str], **more: Any) -> Path:
    path = folder / "manifest.json"
    listed = [{"source": source, "target": target} for source, target in files.items()]
    values = {"version": 1, "created_at": "2026-01-01T00:00:00Z", "pad": 4, "target_extension": "png"}
    path.write_text(json.dumps({**values, "files": listed, "skipped": [], "split_applied": False, **more}), "utf-8")
    return path


def differences(found: Verification) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.compared_with) for one in found.differences]


# ---- the report ----


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_a_whole_artifact_matches(tmp_path: Path, source: str) -> None:
    finished = finish(tmp_path, packed=source == "archive")
    found = verify(packed(finished), against=finished.source)
    assert found.ok
    assert found.matched == PAGES
    assert (found.missing, found.extra, found.mismatched, found.failed) == ((), (), (), ())


def test_unpacked_it_can_be_verified_too(tmp_path: Path, finished: Finished) -> None:
    with ZipFile(packed(finished)) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert verify(tmp_path / "unpacked").matched == PAGES
    (tmp_path / "unpacked" / "2.jpg").write_bytes(b"larger page twO")
    assert verify(tmp_path / "unpacked").mismatched == ("2.jpg",)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda members: members.pop("10.jpg"), ("missing", "10.jpg")),
        (lambda members: members.pop("ComicInfo.xml"), ("missing", "ComicInfo.xml")),
        (lambda members: members.update({"11.jpg": b"new"}), ("extra", "11.jpg")),
        (lambda members: members.update({"notes.txt": b"new"}), ("extra", "notes.txt")),
        (lambda members: members.update({"10.jpg": b"larger page teN"}), ("mismatched", "10.jpg")),
        (lambda members: members.update({"10.jpg": b"larger page ten "}), ("mismatched", "10.jpg")),
        (lambda members: members.update({"credits.txt": b""}), ("mismatched", "credits.txt")),
    ],
)
def test_what_differs_from_the_report_is_named(finished: Finished, edit: Edit, expected: tuple[str, str]) -> None:
    found = verify(edited(packed(finished), edit))
    assert differences(found) == [(*expected, "report")]
    assert found.matched == tuple(name for name in PAGES if name != expected[1])


def test_a_wrong_size_in_the_report_is_a_mismatch(finished: Finished) -> None:
    changed = with_report(packed(finished), lambda report: report["items"][0].update(bytes=1))
    assert differences(verify(changed)) == [("mismatched", "2.jpg", "report")]


def test_a_damaged_page_is_a_mismatch(finished: Finished) -> None:
    artifact = packed(finished)
    data = bytearray(artifact.read_bytes())
    data[data.index(b"larger page two")] ^= 1
    artifact.write_bytes(data)
    found = verify(artifact)
    assert differences(found) == [("mismatched", "2.jpg", "report")]
    assert "is damaged" in found.differences[0].message.text("en")


def test_a_bomb_in_a_page_s_place_is_a_mismatch(finished: Finished) -> None:
    artifact = edited(packed(finished), lambda members: members.pop("2.jpg"))
    with ZipFile(artifact, "a", ZIP_DEFLATED) as archive:
        archive.writestr("2.jpg", bytes(64 << 20))
    found = verify(artifact)
    assert differences(found) == [("mismatched", "2.jpg", "report")]
    assert "as in a zip bomb" in found.differences[0].message.text("en")


def test_pages_that_failed_are_told_but_are_no_difference(finished: Finished) -> None:
    found = verify(packed(finished.failing("10.png")))
    assert found.ok
    assert (found.matched, found.failed) == (("2.jpg", "封面.jpg"), ("10.png",))


def test_a_report_of_the_original_service_will_do(finished: Finished) -> None:
    def strip(report: dict[str, Any]) -> None:
        for key in ("extras", "pages", "notes"):
            del report[key]
        for item in report["items"]:
            item["sha256"] = item["sha256"].upper()

    artifact = with_report(packed(finished), strip)
    found = verify(artifact)
    assert found.matched == PAGES
    assert found.extra == ("ComicInfo.xml", "credits.txt")
    with pytest.raises(InputError, match="does not say what it was made from") as caught:
        verify(artifact, against=finished.source)
    assert caught.value.remedy


# ---- the source ----


def test_a_page_of_the_source_that_failed_is_missing(finished: Finished) -> None:
    found = verify(packed(finished.failing("10.png")), against=finished.source)
    assert differences(found) == [("missing", "10.png", "source")]
    assert found.matched == ("2.jpg", "封面.jpg")


def test_a_page_that_came_later_is_missing(finished: Finished) -> None:
    artifact = packed(finished)
    (finished.source / "11.png").write_bytes(b"page eleven")
    assert differences(verify(artifact, against=finished.source)) == [("missing", "11.png", "source")]


def test_a_page_that_changed_is_a_mismatch(finished: Finished) -> None:
    artifact = packed(finished)
    (finished.source / "2.png").write_bytes(b"page two, drawn again")
    found = verify(artifact, against=finished.source)
    assert differences(found) == [("mismatched", "2.png", "source")]
    assert found.matched == ("10.jpg", "封面.jpg")


def test_a_page_that_went_is_extra(finished: Finished) -> None:
    artifact = packed(finished)
    (finished.source / "2.png").unlink()
    found = verify(artifact, against=finished.source)
    assert differences(found) == [("extra", "2.png", "source")]
    assert found.matched == ("10.jpg", "封面.jpg")


def test_pages_renamed_before_the_upload_are_known_by_their_bytes(tmp_path: Path) -> None:
    uploaded = {"0001.png": b"one", "0002.png": b"blank", "0003.png": b"blank"}
    artifact = packed(finish(tmp_path / "job", uploaded))
    own = finish(tmp_path / "own", {"p 1.png": b"one", "p 2.png": b"blank", "p 3.png": b"blank"}).source
    assert verify(artifact, against=own).matched == ("0001.jpg", "0002.jpg", "0003.jpg")
    (own / "p 4.png").write_bytes(b"blank")
    assert differences(verify(artifact, against=own)) == [("missing", "p 4.png", "source")]


def test_one_picture_as_source(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"1.png": b"a"})
    assert verify(packed(finished), against=finished.source / "1.png").ok


def test_a_damaged_page_of_the_source_is_a_mismatch(tmp_path: Path) -> None:
    finished = finish(tmp_path, packed=True)
    artifact = packed(finished)
    data = bytearray(finished.source.read_bytes())
    data[data.index(b"page two")] ^= 1
    finished.source.write_bytes(data)
    assert differences(verify(artifact, against=finished.source)) == [("mismatched", "2.png", "source")]


def test_a_source_that_is_not_there_is_an_error(tmp_path: Path, finished: Finished) -> None:
    artifact = packed(finished)
    for name in ("nothing", "nothing.cbz"):
        with pytest.raises(InputError, match=f"{name}: cannot be read"):
            verify(artifact, against=tmp_path / name)


# ---- the manifest ----

UPLOADED = {"a.png": "2.png", "b.png": "10.png", "c.png": "封面.png"}


def test_the_manifest_is_reconciled_by_target_whatever_the_output_s_suffix(tmp_path: Path, finished: Finished) -> None:
    found = verify(packed(finished), manifest=manifest_of(tmp_path, UPLOADED))
    assert found.ok
    assert found.matched == PAGES


def test_targets_may_be_output_names(tmp_path: Path, finished: Finished) -> None:
    targets = {"a.png": "2.jpg", "b.png": "10.jpg", "c.png": "封面.jpg"}
    assert verify(packed(finished), manifest=manifest_of(tmp_path, targets)).ok


def test_a_windows_client_s_targets(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"ch 1/1.png": b"a"})
    path = manifest_of(tmp_path, {"a.png": "ch 1\\1.png"})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert verify(packed(finished), manifest=path).matched == ("ch 1/1.jpg",)


def test_what_differs_from_the_manifest_is_named(tmp_path: Path, finished: Finished) -> None:
    manifest = manifest_of(tmp_path, {"a.png": "2.png", "b.png": "10.png", "d.png": "4.png"})
    found = verify(edited(packed(finished), lambda members: members.update({"10.jpg": b"other"})), manifest=manifest)
    assert (found.matched, found.missing) == (("2.jpg",), ("4.png",))
    assert (found.extra, found.mismatched) == (("封面.jpg",), ("10.jpg",))


def test_the_manifest_is_compared_with_outputs_not_inputs(tmp_path: Path, finished: Finished) -> None:
    """The original compared the inputs' digests, so that everything mismatched."""
    changed = with_report(packed(finished), lambda r: [page.update(inputSha256="0" * 64) for page in r["pages"]])
    assert verify(changed, manifest=manifest_of(tmp_path, UPLOADED)).ok


def test_a_failed_page_is_missing_from_the_manifest(tmp_path: Path, finished: Finished) -> None:
    found = verify(packed(finished.failing("2.png")), manifest=manifest_of(tmp_path, UPLOADED))
    assert differences(found) == [("missing", "2.png", "manifest")]


# ---- what cannot be read at all ----


@pytest.mark.parametrize("text", ["", "[]", '{"files": [{"source": "a"}]}', "[" * 100_000, '{"files": 1'])
def test_no_manifest(tmp_path: Path, finished: Finished, text: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json: is not a manifest") as caught:
        verify(packed(finished), manifest=path)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff\xfe", b'{"items": [{"filename": "a", "sha256": "", "bytes": "x"}]}']
)
def test_no_report_that_can_be_understood(finished: Finished, data: bytes) -> None:
    changed = edited(packed(finished), lambda members: members.update({"artifact-report.json": data}))
    with pytest.raises(InputError, match=r"changed\.zip: its artifact-report\.json is not understood") as caught:
        verify(changed)
    assert caught.value.remedy


def test_a_report_beyond_all_measure_is_not_taken_in(finished: Finished) -> None:
    changed = edited(packed(finished), lambda members: members.update({"artifact-report.json": bytes(100 << 20)}))
    tracemalloc.start()
    with pytest.raises(InputError, match="is not understood"):
        verify(changed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 << 20


def test_an_archive_without_a_report(finished: Finished) -> None:
    changed = edited(packed(finished), lambda members: members.pop("artifact-report.json"))
    with pytest.raises(InputError, match=r"changed\.zip: holds no artifact-report\.json") as caught:
        verify(changed)
    assert caught.value.remedy


def test_an_archive_cut_short_is_an_error(finished: Finished) -> None:
    artifact = packed(finished)
    artifact.write_bytes(artifact.read_bytes()[:-40])
    with pytest.raises(BookError, match=artifact.name) as caught:
        verify(artifact)
    assert caught.value.remedy


def test_memory_does_not_grow_with_pages(tmp_path: Path) -> None:
    finished = finish(tmp_path, {"1.png": bytes(40 << 20)})
    artifact = packed(finished)
    tracemalloc.start()
    assert verify(artifact, against=finished.source).ok
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20


def test_what_lies_beside_the_pages_of_a_source_is_not_compared(finished: Finished) -> None:
    artifact = packed(finished)
    (finished.source / "later.txt").write_bytes(VOLUME["credits.txt"])
    assert verify(artifact, against=finished.source).ok
