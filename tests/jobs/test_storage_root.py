"""The storage root: names of outputs, what a job owns, and paths that must not lead out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from fake_workers import recipe
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from enlarger.errors import InputError, StorageError
from enlarger.jobs import Artifact, Counts, Job, JobSource, JobState, StorageRoot, Submission, slug
from enlarger.settings import Settings

_ID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"


def job(title: str = "One Piece", volume: str = "Vol 1", *, transient: bool = False, **params: str) -> Job:
    submission = Submission(
        JobSource("folder", Path("x")), recipe(), title, volume, transient=transient, params=params, id=_ID
    )
    return Job(_ID, submission, JobState.DONE, Counts(), 0.0, 0.0)


@pytest.fixture
def storage(tmp_path: Path) -> StorageRoot:
    root = StorageRoot(tmp_path / "storage", allowed=(tmp_path / "library",))
    root.prepare()
    (tmp_path / "library").mkdir()
    return root


# ---- names ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One Piece", "one-piece"),
        ("  ワンピース 第１巻 ", "ワンピース-第１巻"),
        ("../../etc/passwd", "etcpasswd"),
        ("a_b-c.d", "a_b-cd"),
        ("か\u3099", "が"),  # what macOS stores in two signs is one letter
        ("!?", "unknown"),
        ("", "unknown"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected


@limits(deadline=None)  # the first reads the catalogue
@given(st.text(), st.text())
def test_any_title_makes_names_that_a_disk_takes(title: str, volume: str) -> None:
    storage = StorageRoot(Path("root").absolute())
    named = job(title, volume)
    file, folder = storage.artifact_file(named), storage.output_dir(named)
    assert file.parent == storage.artifacts
    assert folder.parent.parent.parent == storage.outputs
    assert max(len(os.fsencode(part)) for part in (file.name, *folder.parts)) <= 255


def test_outputs_and_artifacts_are_called_as_the_contract_says(storage: StorageRoot) -> None:
    assert storage.relative(storage.output_dir(job())) == f"outputs/one-piece/vol-1/{_ID}"
    assert storage.relative(storage.artifact_file(job())) == f"artifacts/one-piece-vol-1-{_ID}.zip"
    assert storage.artifact_file(job(container="cbz")).suffix == ".cbz"
    packed = replace(job(), artifact=Artifact("artifacts/elsewhere.zip", "", 0))
    assert storage.artifact_file(packed) == storage.artifacts / "elsewhere.zip"


def test_a_transient_job_leaves_nothing_among_the_outputs(storage: StorageRoot) -> None:
    assert storage.output_dir(job(transient=True)) == storage.staging / _ID / "out"


def test_discarding_leaves_the_volume_s_other_jobs(storage: StorageRoot) -> None:
    mine, other = job(), replace(job(), id="another")
    for each in (mine, other):
        storage.output_dir(each).mkdir(parents=True)
        (storage.output_dir(each) / "01.png").write_bytes(b"12345")
    assert storage.output_dir(mine).is_dir()
    storage.discard(mine)
    storage.discard(mine)
    assert not storage.output_dir(mine).exists()
    assert storage.output_dir(other).is_dir()
    storage.discard(other)
    assert list(storage.outputs.iterdir()) == []


# ---- what clients may name ----


def test_a_source_is_looked_for_in_the_root_and_in_incoming(storage: StorageRoot, tmp_path: Path) -> None:
    for folder in (storage.incoming / "a", storage.root / "b", storage.incoming / "b", tmp_path / "library" / "c"):
        folder.mkdir()
    assert storage.resolve("a") == storage.incoming / "a"
    assert storage.resolve("incoming/a") == storage.incoming / "a"
    assert storage.resolve("b") == storage.root / "b"
    assert storage.resolve(str(storage.root / "b")) == storage.root / "b"
    assert storage.resolve(str(tmp_path / "library" / "c")) == tmp_path / "library" / "c"


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/etc", "", " ", ".", "incoming/..", "a\0b", "\ud800"])
def test_what_leads_out_is_refused(storage: StorageRoot, path: str) -> None:
    with pytest.raises(InputError):
        storage.resolve(path)
    with pytest.raises(InputError):
        storage.resolve(path, must_exist=False)


@pytest.mark.skipif(os.name == "nt", reason="making links needs a right on Windows")
def test_links_may_lead_to_allowed_folders_only(storage: StorageRoot, tmp_path: Path) -> None:
    (storage.incoming / "in").symlink_to(tmp_path / "library")
    (storage.incoming / "out").symlink_to(tmp_path)
    assert storage.resolve("in") == storage.incoming / "in"
    with pytest.raises(InputError, match="leads out"):
        storage.resolve("out")


def test_a_missing_source_may_come_later(storage: StorageRoot) -> None:
    with pytest.raises(InputError, match="no such file"):
        storage.resolve("later")
    assert storage.resolve("later", must_exist=False) == storage.incoming / "later"


@given(st.text())
def test_no_text_leads_out(text: str) -> None:
    storage = StorageRoot(Path("root").absolute())
    try:
        found = storage.resolve(text, must_exist=False)
    except InputError:
        return
    assert Path(os.path.realpath(found)).is_relative_to(storage.root)


# ---- one server, and what is swept ----


def test_the_root_is_held_by_one(storage: StorageRoot) -> None:
    with storage.held(), pytest.raises(StorageError, match="another server"), StorageRoot(storage.root).held():
        pass
    with storage.held():
        pass


def test_only_leftovers_are_swept(storage: StorageRoot) -> None:
    out = storage.output_dir(job())
    out.mkdir(parents=True)
    kept = [out / "01.png", storage.artifacts / "a.zip", storage.staging / "a person's own"]
    swept = [out / ".enlarger-1.png", storage.artifacts / ".enlarger-2.zip", storage.staging / _ID]
    for path in kept + swept:
        path.touch() if path.suffix else path.mkdir()
    storage.sweep([job()], lambda _id: False)
    assert [path.exists() for path in kept] == [True] * 3
    assert [path.exists() for path in swept] == [False] * 3
    (storage.staging / _ID).mkdir()
    storage.sweep([], lambda job_id: job_id == _ID)
    assert (storage.staging / _ID).is_dir()


def test_the_settings_name_the_root(tmp_path: Path) -> None:
    settings = Settings(storage_dir=tmp_path, allowed_dirs=os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert StorageRoot.of(settings) == StorageRoot(tmp_path, (tmp_path / "a", tmp_path / "b"))
