"""A network that ncnn holds, on the CPU or on a Vulkan device, and the end of what lies in a GPU's memory.

ncnn makes its Vulkan instance when it is first asked for a device, and ends it with the process; a network that
outlives the instance crashes. So everything on a GPU is let go before the interpreter ends.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakSet

from enlarger.errors import RuntimeFailedError
from enlarger.messages import msg
from enlarger.models import NcnnFiles
from enlarger.runtimes.session import BF16, FP16

NAME = "ncnn"
_STDERR = 2
_lock = threading.Lock()
_on_gpus: WeakSet[NcnnNetwork] = WeakSet()


class NcnnNetwork:
    """Its weights and, on a GPU, its own memory there. Used by one thread at a time."""

    def __init__(self, net: Any, allocators: tuple[Any, ...] = ()) -> None:
        self.net = net  # before the allocators: an object's parts go in this order
        self._allocators = allocators
        self._busy = 0

    @property
    def on_gpu(self) -> bool:
        """Whether it is on a Vulkan device."""
        return bool(self._allocators)

    @contextmanager
    def in_use(self) -> Iterator[Any]:
        """ncnn's own network; what the interpreter's end leaves alone."""
        self._busy += 1
        try:
            yield self.net
        finally:
            self._busy -= 1

    def rest(self) -> None:
        """Give back the GPU memory that only computing needs."""
        if not self._busy:
            for allocator in self._allocators:
                allocator.clear()

    def let_go(self) -> bool:
        """Everything, for good; False while it computes."""
        if self._busy:
            return False
        self.net = None
        self.rest()
        self._allocators = ()
        return True


def load_network(files: NcnnFiles, dtype: str, *, threads: int, gpu: int | None = None) -> NcnnNetwork:
    """The files on the CPU, or on Vulkan device number `gpu`; raises RuntimeFailedError."""
    ncnn = library()
    net = ncnn.Net()
    _set_options(net.opt, dtype, threads, on_gpu=gpu is not None)
    allocators: tuple[Any, ...] = ()
    if gpu is not None:
        allocators = _on_gpu(net, gpu)
    for path, load in ((files.param, net.load_param), (files.bin, net.load_model)):
        # ncnn would write to stderr about a file that is not there, hence the question before
        if not path.is_file() or load(str(path)) != 0:
            raise RuntimeFailedError(
                msg("{path}: ncnn cannot read this file.", path=path),
                msg("Fetch the model again: `enlarger models pull`."),
            )
    network = NcnnNetwork(net, allocators)
    if allocators:
        _on_gpus.add(network)
    return network


def library() -> Any:
    """The module; raises RuntimeFailedError where it is not installed, or built for another CPU."""
    try:
        import ncnn
    except (ImportError, OSError) as error:
        raise RuntimeFailedError(
            msg("{runtime} failed: {reason}", runtime=NAME, reason=str(error)), msg("Run `enlarger doctor`.")
        ) from error
    return ncnn


def _set_options(options: Any, dtype: str, threads: int, *, on_gpu: bool) -> None:
    """fp32 is fp32: nothing is stored or computed in fewer bits."""
    options.num_threads = threads
    options.use_vulkan_compute = on_gpu
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = dtype == FP16
    options.use_bf16_storage = dtype == BF16
    options.use_winograd_convolution = True
    options.lightmode = True  # a layer's input is freed as soon as nobody reads it any more


def _on_gpu(net: Any, gpu: int) -> tuple[Any, ...]:
    """Put the empty network there, with memory of its own that can be given back; raises RuntimeFailedError."""
    ncnn = library()
    if gpu >= gpu_count():
        raise RuntimeFailedError(
            msg("The Vulkan device {number} is not there any more.", number=gpu),
            msg("Run `enlarger devices` to see what is here."),
        )
    device = ncnn.get_gpu_device(gpu)
    blobs, staging = ncnn.VkBlobAllocator(device), ncnn.VkStagingAllocator(device)
    net.set_vulkan_device(gpu)
    net.opt.blob_vkallocator = net.opt.workspace_vkallocator = blobs
    net.opt.staging_vkallocator = staging
    return blobs, staging


@cache
def _vulkan() -> int:
    """Make ncnn's instance, once a process; how many devices it has."""
    ncnn = library()
    with _silent_stderr():
        count: int = ncnn.get_gpu_count()
    atexit.register(_end_vulkan)
    return count


def gpu_count() -> int:
    """How many Vulkan devices this process sees."""
    with _lock:
        return _vulkan()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """ncnn lists every device there, in the middle of whatever is shown; so does each driver's loader."""
    if sys.stderr is not None:  # as it is under pythonw
        sys.stderr.flush()
    with suppress(OSError), _away(os.dup(_STDERR)):
        yield
        return
    yield


@contextmanager
def _away(kept: int) -> Iterator[None]:
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def _end_vulkan() -> None:
    """Networks first; where one still computes, in a thread that ends with the process, the instance is left to it."""
    let_go = [network.let_go() for network in list(_on_gpus)]
    if all(let_go):
        library().destroy_gpu_instance()
