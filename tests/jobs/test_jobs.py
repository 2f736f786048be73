from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fake_workers import make_graph
from job_making import event_types, finished, folder_of, running_jobs, server_settings, volume

from enlarger.jobs import JobState


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


def test_a_folder_becomes_an_archive(tmp_path: Path, graph: Path) -> None:
    with running_jobs(server_settings(tmp_path), graph) as jobs:
        job, created = jobs.submit(volume(folder_of(tmp_path / "book", 3)))
        job = finished(jobs, job.id)
        assert created
        assert job.state is JobState.DONE, job.reason
        assert job.artifact is not None
        with zipfile.ZipFile(jobs.artifact_path(job)) as archive:
            assert archive.namelist() == ["01.png", "02.png", "03.png", "artifact-report.json"]
        events = event_types(jobs, job.id)
        assert events == ["submitted", "listed", "running", *["page_done"] * 3, "packing", "done"]
