"""sr_vulkan in CPU mode: a file in, a file out, in a process of its own because it may crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from bench.alternate import PeerError, Row
from bench.child import Child
from bench.subjects import Subject

NAME = "sr_vulkan"
_WORKER = "bench.peers.sr_vulkan_worker"


@contextmanager
def sr_vulkan_row(variant: str, scale: int, subject: Subject, threads: int) -> Iterator[Row]:
    """A row over one picture, with its own tile size and its own WebP; ncnn's arithmetic on the CPU is fp32."""
    if find_spec("sr_vulkan") is None:
        yield Row(NAME, "fp32", subject.px, absent="not here")
        return
    with Child(_WORKER, [variant, str(scale), str(threads)]) as child:

        def run(_: Path) -> None:
            answer = child.ask(str(subject.path))
            if not answer.isdigit():
                raise PeerError(answer)

        absent = ""
        try:
            run(subject.path.parent)
        except PeerError as error:
            absent = f"failed: {error}"
        yield Row(NAME, "fp32", subject.px, run, absent=absent)
