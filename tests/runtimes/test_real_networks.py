"""Real weights: the runtimes agree with each other, and bf16 keeps its promise where calibration lets it."""

from __future__ import annotations

import pytest
from vulkan_here import vulkan_runtime

from enlarger.errors import WeightsMissingError
from enlarger.models import Graph, load_catalog, prepare
from enlarger.runtimes import (
    BF16,
    FP32,
    MIN_PSNR_DB,
    UINT8,
    NcnnRuntime,
    OpenVinoRuntime,
    Runtime,
    Tile,
    choose,
    known_runtimes,
    list_calibrations,
    psnr_db,
    tile_bytes,
)
from enlarger.runtimes.calibration_picture import page_tile
from enlarger.settings import Settings
from loud_skips import missing
from packaged_cards import packaged_cards

pytestmark = [pytest.mark.weights, pytest.mark.slow]
SIDE = 96


def graph_of(name: str, settings: Settings) -> Graph:
    try:
        return prepare(load_catalog().choose(name).variant, settings)
    except WeightsMissingError:
        missing(f"the weights of {name}")
        raise


def enlarged(runtime: Runtime, graph: Graph, dtype: str) -> Tile:
    session = runtime.open(graph, tile=(SIDE, SIDE), device="cpu", dtype=dtype, pixels=UINT8)
    return next(session.run([page_tile((SIDE, SIDE))]))


@pytest.mark.parametrize(
    "name",
    [
        "MODEL_WAIFU2X_CUNET_UP2X",
        "MODEL_WAIFU2X_ANIME_UP2X",
        "MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X",
        "MODEL_REALCUGAN_SE_UP4X_CONSERVATIVE",  # residual, and enlarged outside of the network by its authors
    ],
)
def test_the_runtimes_agree(name: str, settings: Settings) -> None:
    graph = graph_of(name, settings)
    exact = enlarged(OpenVinoRuntime(), graph, FP32)
    assert psnr_db(enlarged(NcnnRuntime(), graph, FP32), exact) > 70
    for runtime in (OpenVinoRuntime(), NcnnRuntime()):
        if BF16 in runtime.devices()[0].dtypes:
            assert psnr_db(enlarged(runtime, graph, BF16), exact) > MIN_PSNR_DB - 2


@pytest.mark.parametrize(
    "name",
    ["MODEL_WAIFU2X_CUNET_UP2X", *(card.variants[-1].name for card in packaged_cards())],
)
def test_a_batch_gives_the_same_bits(name: str, settings: Settings) -> None:
    """Which is why a render's key does not name it."""
    graph, side = graph_of(name, settings), 64
    page = page_tile((side, side))
    tiles = [page, page[::-1].copy(), page[:, ::-1].copy()]
    runtime = OpenVinoRuntime()
    for dtype in runtime.devices()[0].dtypes:
        alone, paired = (
            list(
                runtime.open(graph, tile=(side, side), device="cpu", dtype=dtype, pixels=UINT8, batch=batch).run(tiles)
            )
            for batch in (1, 2)
        )
        assert all((one == other).all() for one, other in zip(alone, paired, strict=True))


def test_calibration_is_remembered_for_the_network(settings: Settings) -> None:
    graph = graph_of("MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X", settings)
    runtimes = known_runtimes(settings)
    chosen = choose(graph, device="auto", precision="auto", settings=settings, runtimes=runtimes)
    (known,) = list_calibrations(settings)
    assert (known.card, known.network) == ("realesr-animevideov3", graph.variant.name)
    winner = next(m for m in known.measurements if m.candidate == chosen)
    assert winner.psnr_db >= MIN_PSNR_DB
    exact = choose(graph, device="auto", precision="exact", settings=settings, runtimes=runtimes)
    assert exact.dtype == FP32


@pytest.mark.parametrize(("name", "least_mb", "most_mb"), [("MODEL_WAIFU2X_CUNET_UP2X", 120, 260)])
def test_memory_is_about_what_was_measured(name: str, least_mb: int, most_mb: int, settings: Settings) -> None:
    """OpenVINO took 171 MB for a tile of 256 in fp32."""
    assert least_mb < tile_bytes(graph_of(name, settings), (256, 256)) / 1e6 < most_mb


@pytest.mark.parametrize("name", ["MODEL_WAIFU2X_CUNET_UP2X", "MODEL_REALESRGAN_ANIMAVIDEOV3_UP2X"])
def test_vulkan_agrees(name: str, settings: Settings) -> None:
    graph = graph_of(name, settings)
    session = vulkan_runtime().open(graph, tile=(SIDE, SIDE), device="vulkan:0", dtype=FP32, pixels=UINT8)
    (result,) = session.run([page_tile((SIDE, SIDE))])
    assert psnr_db(result, enlarged(OpenVinoRuntime(), graph, FP32)) > 60
