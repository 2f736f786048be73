"""ncnn: on the CPU, ahead of other fp32 where that is plain AVX2, and through Vulkan on whatever GPU there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.cancel import CancelToken
from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.models import Graph
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.hardware import cpu_name
from enlarger.runtimes.library_version import library_version
from enlarger.runtimes.ncnn_network import NAME, NcnnNetwork, library, load_network
from enlarger.runtimes.pooling_grid import PoolingGrid, pooling_grids
from enlarger.runtimes.session import (
    BF16,
    FP16,
    FP32,
    UINT8,
    Averages,
    Device,
    Parts,
    SessionSpec,
    Tile,
    check_averages,
    check_channels,
    check_open,
    check_stage,
    checked_tiles,
    out_of_memory,
    with_parts,
)
from enlarger.runtimes.vulkan_devices import VulkanDevice, VulkanDevices

_VULKAN = "vulkan"
_OUT_OF_MEMORY = -100  # ncnn's code for an allocation that failed


class NcnnRuntime:
    """Sessions on the CPU, and on the devices that `vulkan` finds. `threads` 0: all cores that the process may use."""

    name = NAME
    calibrates = True

    def __init__(self, *, threads: int = 0, vulkan: VulkanDevices | None = None) -> None:
        self._threads = threads
        self._vulkan = vulkan

    @property
    def version(self) -> str:
        """Of the installed package, or ""."""
        return library_version(NAME)

    def devices(self) -> Sequence[Device]:
        """The CPU: bf16 is how numbers are stored between layers, so every CPU has it. Then what Vulkan reaches."""
        try:
            library()
        except RuntimeFailedError:
            return ()
        found = self._vulkan.find() if self._vulkan else ()
        gpus = (_gpu(each) for each in found if not each.problem)
        return (Device(self.name, "cpu", cpu_name(), (FP32, BF16)), *gpus)

    def supports(self, graph: Graph) -> bool:
        """Graphs that have an ncnn form beside the ONNX one."""
        return graph.ncnn is not None

    def open(
        self,
        graph: Graph,
        *,
        tile: tuple[int, int],
        device: str,
        dtype: str,
        pixels: str,
        batch: int = 1,  # noqa: ARG002 - ncnn's tensors hold one picture: tiles go one by one, and the spec says so
    ) -> NcnnSession:
        """A session; the weights are read from the graph's ncnn form."""
        if graph.ncnn is None:
            raise _no_form(graph)
        variant = graph.variant
        network = load_network(graph.ncnn, dtype, threads=self._threads or allowed_cores(), gpu=gpu_number(device))
        poolings = _poolings(network.net)
        spec = SessionSpec(
            self.name,
            device,
            dtype,
            pixels,
            tile,
            variant.scale,
            variant.border,
            in_flight=1,
            poolings=len(poolings),
        )
        return NcnnSession(spec, network, poolings, grids=lambda: pooling_grids(graph.path))


def gpu_number(device: str) -> int | None:
    """Which Vulkan device "vulkan:1" is; None for the CPU."""
    family, _, number = device.partition(":")
    return int(number) if family == _VULKAN else None


def _gpu(found: VulkanDevice) -> Device:
    dtypes = (FP32, FP16) if found.fp16 else (FP32,)
    return Device(
        NAME, f"{_VULKAN}:{found.index}", found.name, dtypes, "gpu", found.software, memory_bytes=found.memory_bytes
    )


def _no_form(graph: Graph) -> RuntimeFailedError:
    remedy = msg("Use --device openvino.")
    if graph.no_ncnn is None:
        return RuntimeFailedError(msg("{model} has no ncnn form.", model=graph.variant.name), remedy)
    what = msg("{model} has no ncnn form: {reason}.", model=graph.variant.name, reason=graph.no_ncnn)
    return RuntimeFailedError(what, remedy)


@dataclass(frozen=True)
class _Pooling:
    """The names of a global average pooling's blobs."""

    features: str
    average: str


def _poolings(net: Any) -> tuple[_Pooling, ...]:
    """In the network's order; the importer lets no other pooling pass than global averages."""
    names = [blob.name for blob in net.blobs()]
    layers = [layer for layer in net.layers() if layer.type == "Pooling"]
    return tuple(_Pooling(names[layer.bottoms[0]], names[layer.tops[0]]) for layer in layers)


class NcnnSession:
    """One network; every tile has an extractor of its own."""

    def __init__(
        self,
        spec: SessionSpec,
        network: NcnnNetwork,
        poolings: Sequence[_Pooling],
        grids: Callable[[], Sequence[PoolingGrid]],
    ) -> None:
        self.spec = spec
        self._network: NcnnNetwork | None = network
        self._poolings = poolings
        self._grids = grids
        self._input: str = network.net.input_names()[0]
        self._output: str = network.net.output_names()[0]

    def run(
        self, tiles: Iterable[Tile], *, averages: Averages | None = None, cancel: CancelToken | None = None
    ) -> Iterator[Tile]:
        """As Session.run; ncnn gives up the interpreter's lock while it computes."""
        network = self._opened()  # alive for as long as the run is
        given = averages if averages is not None else ()
        check_averages(self.spec, given, self.spec.poolings if averages is not None else 0)
        self._check_channels(given)
        return (
            _to_tile(self._infer(network, tile, given, self._output), self.spec.pixels)
            for tile in checked_tiles(self.spec, tiles, cancel)
        )

    def pool(
        self,
        tiles: Iterable[Tile],
        *,
        stage: int,
        known: Averages,
        parts: Sequence[Parts] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """As Session.pool; ncnn computes no further than the features that are asked for."""
        network = self._opened()
        check_stage(self.spec, stage, known)
        self._check_channels(known)
        blob = self._poolings[stage].features
        return (
            self._pooled(self._infer(network, tile, known, blob), stage, counted)
            for tile, counted in with_parts(checked_tiles(self.spec, tiles, cancel), parts)
        )

    def rest(self) -> None:
        """A GPU's memory, which ncnn keeps. On the CPU nothing: it frees what nobody reads any more."""
        if self._network is not None:
            self._network.rest()

    def close(self) -> None:
        """The memory goes when the last run has ended."""
        self._network = None

    def _check_channels(self, given: Averages) -> None:
        """ncnn itself does not look at how long an average is."""
        for average, grid in zip(given, self._grids() if given else (), strict=False):
            check_channels(average, grid.channels)

    def _opened(self) -> NcnnNetwork:
        check_open(self.spec, self._network is None)
        assert self._network is not None
        return self._network

    def _infer(self, network: NcnnNetwork, tile: Tile, given: Averages, blob: str) -> NDArray[np.float32]:
        try:
            with network.in_use() as net:
                return self._extract(net, _to_planes(tile), given, blob)
        except MemoryError as error:  # NumPy's, or std::bad_alloc
            raise out_of_memory(self.spec) from error

    def _extract(self, net: Any, planes: NDArray[np.float32], given: Averages, blob: str) -> NDArray[np.float32]:
        import ncnn

        extractor = net.create_extractor()
        # copies: ncnn crashes where a layer works in place on memory that is only borrowed
        extractor.input(self._input, ncnn.Mat(planes).clone())
        for pooling, average in zip(self._poolings, given, strict=False):  # the poolings after them are computed
            extractor.input(pooling.average, ncnn.Mat(np.array(average, np.float32)).clone())
        code, result = extractor.extract(blob)
        if code != 0:
            raise out_of_memory(self.spec) if code == _OUT_OF_MEMORY else self._failure(code)
        made = np.array(result, np.float32)  # a copy: the Mat's memory goes with it
        del result, extractor  # in this order, or ncnn complains
        return made

    def _pooled(self, features: NDArray[np.float32], stage: int, parts: Parts | None) -> NDArray[np.float32]:
        """Over the parts' features (C, h, w), in double precision: ncnn's own sums lose digits in large planes."""
        if parts is None:
            return np.asarray(features.mean((1, 2), np.float64), np.float32)
        return self._grids()[stage].share(features, parts)

    def _failure(self, code: int) -> RuntimeFailedError:
        return RuntimeFailedError(
            msg("{runtime} failed: {reason}", runtime=NAME, reason=f"code {code}"),
            msg("Try another device, for example --device openvino, and run `enlarger doctor`."),
        )


def _to_planes(tile: Tile) -> NDArray[np.float32]:
    """(h, w, 3) to (3, h, w) float32 0..1."""
    planes = np.ascontiguousarray(tile.transpose(2, 0, 1), dtype=np.float32)
    return planes / np.float32(255) if tile.dtype == np.uint8 else planes


def _to_tile(planes: NDArray[np.float32], pixels: str) -> Tile:
    """(3, h, w) to (h, w, 3), clipped; NaN stays NaN in float32 and is black in uint8."""
    picture = planes.transpose(1, 2, 0)
    if pixels != UINT8:
        return np.ascontiguousarray(np.clip(picture, 0, 1))
    known = np.fmax(picture, 0)  # NumPy's fmax takes the number where the other is NaN
    return np.rint(np.minimum(known, 1) * np.float32(255), order="C").astype(np.uint8)
