"""A worker as a process: it ends with its parent, leaves signals to it, steps back, opens models early."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from fake_workers import PATIENCE_S, make_graph, page_file, running, setup, start

from enlarger.jobs.protocol import Done, Idle, Ready
from enlarger.jobs.worker import WorkerSetup, threads_for
from enlarger.runtimes import allowed_cores
from enlarger.settings import Settings


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("graph"))


def test_a_worker_in_mid_tile_ends_when_its_parent_is_killed(graph: Path, tmp_path: Path) -> None:
    code = f"import fake_workers; fake_workers.hold_a_page({str(graph)!r}, {str(tmp_path)!r})"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    with parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    worker.wait(PATIENCE_S)  # raises if it lives on
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals between processes")
def test_signals_to_the_whole_group_are_the_parents_business(settings: Settings, graph: Path, tmp_path: Path) -> None:
    with running(setup(settings, graph)) as crew:
        (state,) = crew.crew.states()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(state.pid, number)
        crew.crew.send(state.id, start(1, page_file(tmp_path), tmp_path / "out"))
        crew.until_heard(Done)


def test_a_worker_steps_back(settings: Settings, graph: Path) -> None:
    with running(setup(settings, graph)) as crew:
        process = psutil.Process(crew.crew.states()[0].pid)
        assert process.nice() == (psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else 10)  # type: ignore[attr-defined]


def test_preloaded_models_are_open_when_the_worker_is_ready(settings: Settings, graph: Path) -> None:
    wanted = settings.model_copy(update={"preload": "waifu2x-cunet, MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X, no such model"})
    with running(setup(wanted, graph)) as crew:
        assert isinstance(crew.heard[0][1], Ready)
        crew.until_heard(Idle)
        assert [model.model for model in crew.said(Idle)[0].models] == [  # each once, though open for several tiles
            "MODEL_WAIFU2X_CUNET_UP2X",
            "MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X",
        ]


def test_a_setup_prepares_the_process_first(settings: Settings, graph: Path, tmp_path: Path) -> None:
    base = setup(settings, graph)
    with running(WorkerSetup(base.settings, base.enhancer, base.options, prepare="fake_workers:leave_a_mark")):
        assert (settings.data_dir / "mark").exists()


def test_cores_are_shared_unless_threads_are_set() -> None:
    assert threads_for(Settings(threads=0), 1) == allowed_cores()
    assert threads_for(Settings(threads=0), 1000) == 1
    assert threads_for(Settings(threads=3), 1000) == 3


def test_a_setup_travels(settings: Settings) -> None:
    assert pickle.loads(pickle.dumps(WorkerSetup(settings))) == WorkerSetup(settings)
