"""What is OpenVINO's own: compiled graphs on disk, memory that ends, and that nothing leaves the machine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_network import TinyGraph
from tiny_network import tiny_graph_fixture as tiny_graph_fixture  # a fixture

from enlarger.errors import RuntimeFailedError
from enlarger.runtimes import FP32, UINT8, OpenVinoRuntime, Tile
from enlarger.runtimes.compiled import CompiledGraphs

TILE = (33, 40)


def run(graph: TinyGraph, folder: Path | None, *, tile: tuple[int, int] = TILE, pixels: str = UINT8) -> Tile:
    runtime = OpenVinoRuntime(compiled=CompiledGraphs(folder) if folder else None)
    session = runtime.open(graph, tile=tile, device="cpu", dtype=FP32, pixels=pixels)
    values = np.random.default_rng(0).random((*tile, 3), np.float32)
    return next(session.run([values if pixels != UINT8 else np.rint(values * 255).astype(np.uint8)]))


def in_own_process(script: str, *arguments: object, **environment: str) -> str:
    """Run `script` with a clean interpreter; what it printed."""
    here = Path(__file__).parent
    source = here.parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={"PYTHONPATH": f"{source}:{here}", "PATH": "", "HOME": str(Path.home()), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_second_time_the_graph_is_not_even_read(tiny_graph: TinyGraph, tmp_path: Path) -> None:
    first = run(tiny_graph, tmp_path / "compiled")
    tiny_graph.path.unlink()
    assert run(tiny_graph, tmp_path / "compiled").tobytes() == first.tobytes()


def test_other_shapes_and_pixels_are_compiled_for_themselves(tiny_graph: TinyGraph, tmp_path: Path) -> None:
    run(tiny_graph, tmp_path / "compiled")
    for other in ({"tile": (40, 33)}, {"pixels": "float32"}):
        assert run(tiny_graph, tmp_path / "compiled", **other).tobytes() == run(tiny_graph, None, **other).tobytes()
    assert len(list((tmp_path / "compiled").iterdir())) == 3


def test_another_graph_is_compiled_for_itself(tiny_graph: TinyGraph, tmp_path: Path) -> None:
    run(tiny_graph, tmp_path / "compiled")
    run(replace(tiny_graph, digest="another"), tmp_path / "compiled")
    assert len(list((tmp_path / "compiled").iterdir())) == 2


@pytest.mark.parametrize("keep", [0, 20, 1000])
def test_a_damaged_compiled_graph_is_made_again(tiny_graph: TinyGraph, tmp_path: Path, keep: int) -> None:
    first = run(tiny_graph, tmp_path)
    (blob,) = tmp_path.glob("*.blob")
    blob.write_bytes(blob.read_bytes()[:keep])
    assert run(tiny_graph, tmp_path).tobytes() == first.tobytes()
    tiny_graph.path.unlink()
    assert run(tiny_graph, tmp_path).tobytes() == first.tobytes()  # the damage is mended


def test_a_compiled_graph_openvino_does_not_take_is_made_again(
    tiny_graph: TinyGraph, tmp_path: Path, monkeypatch
) -> None:
    first = run(tiny_graph, tmp_path)
    monkeypatch.setattr(CompiledGraphs, "get", lambda _self, _facts: b"whole, but of another make")
    assert run(tiny_graph, tmp_path).tobytes() == first.tobytes()


def test_a_graph_that_cannot_be_read_is_an_error_with_a_remedy(tiny_graph: TinyGraph) -> None:
    tiny_graph.path.write_bytes(b"no graph")
    with pytest.raises(RuntimeFailedError, match=r"openvino failed: .*enlarger doctor"):
        run(tiny_graph, None)


def test_nan_does_not_become_a_picture(tiny_graph: TinyGraph) -> None:
    """Broken output is constant, which the road of a page recognises; it is never noise."""
    session = OpenVinoRuntime().open(tiny_graph, tile=TILE, device="cpu", dtype=FP32, pixels="float32")
    (result,) = session.run([np.full((*TILE, 3), np.nan, np.float32)])
    assert len(np.unique(result)) == 1


_PLAIN_CPU = """
import sys
from pathlib import Path
import numpy as np
from tiny_network import make_tiny_graph, reference
from enlarger.runtimes import open_session
from enlarger.settings import Settings
folder = Path(sys.argv[1])
settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache")
graph, tile = make_tiny_graph(folder), np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
session = open_session(graph, tile=(32, 32), device="openvino", settings=settings)
(result,) = session.run([tile])
assert abs(result - reference(graph, tile) * 255).max() < 0.51
print(session.spec.dtype)
"""


def test_a_cpu_without_bf16_gets_fp32(tmp_path: Path) -> None:
    """oneDNN is held to AVX2, as on most laptops: bf16 then fails when it is compiled, and is never chosen."""
    assert in_own_process(_PLAIN_CPU, tmp_path, ONEDNN_MAX_CPU_ISA="AVX2") == "fp32\n"


_ALL_DTYPES = """
import sys
from pathlib import Path
from tiny_network import make_tiny_graph
from enlarger.runtimes import OpenVinoRuntime
runtime, graph = OpenVinoRuntime(threads=1), make_tiny_graph(Path(sys.argv[1]))
for dtype in runtime.devices()[0].dtypes:
    runtime.open(graph, tile=(32, 32), device="cpu", dtype=dtype, pixels="uint8")
"""


@pytest.mark.parametrize("limit", ["AVX2", "avx2_vnni_2", "AVX512_CORE", ""])
def test_whatever_the_cpu_lists_can_be_compiled(limit: str, tmp_path: Path) -> None:
    in_own_process(_ALL_DTYPES, tmp_path, ONEDNN_MAX_CPU_ISA=limit)


_OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, psutil
from tiny_network import make_tiny_graph
from enlarger.errors import OutOfMemoryError
from enlarger.runtimes import OpenVinoRuntime, NcnnRuntime
graph = make_tiny_graph(Path(sys.argv[1]))
runtime = {"openvino": OpenVinoRuntime, "ncnn": NcnnRuntime}[sys.argv[2]](threads=1)
def run(side):
    session = runtime.open(graph, tile=(side, side), device="cpu", dtype="fp32", pixels="uint8")
    return list(session.run([np.zeros((side, side, 3), np.uint8)]))
run(64)
limit = psutil.Process().memory_info().vms + 300 * 1024**2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    run(4096)
except OutOfMemoryError as error:
    print(error.code)
assert len(run(64)) == 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is honoured on Linux only")
@pytest.mark.parametrize("runtime", ["openvino", "ncnn"])
def test_running_out_of_memory_is_an_error_and_not_the_end(runtime: str, tmp_path: Path) -> None:
    assert in_own_process(_OUT_OF_MEMORY, tmp_path, runtime) == "out_of_memory\n"


_SILENT = """
import sys, threading
from pathlib import Path
events = []
watched = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "subprocess.", "os.fork", "os.posix_spawn", "os.exec")
sys.addaudithook(lambda event, _: events.append(event) if event.startswith(watched) else None)
import numpy as np, psutil
from tiny_network import make_tiny_graph
from enlarger.runtimes import open_session
from enlarger.settings import Settings
folder = Path(sys.argv[1])
settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache", vulkan=False)  # that looks in a process
session = open_session(make_tiny_graph(folder), tile=(32, 32), precision="exact", device="openvino", settings=settings)
list(session.run([np.zeros((32, 32, 3), np.uint8)]))
session.close()
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(10)
events += [str(connection) for connection in psutil.Process().net_connections()]
events += [name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module]
print(events)
"""


def test_nothing_is_sent(tmp_path: Path) -> None:
    """`import openvino` alone would fork a process that reports to an analytics service."""
    assert in_own_process(_SILENT, tmp_path) == "[]\n"


def test_importing_the_room_loads_no_heavy_library() -> None:
    script = "import sys, enlarger.runtimes; print({'openvino', 'ncnn', 'onnx'} & set(sys.modules))"
    assert in_own_process(script) == "set()\n"
