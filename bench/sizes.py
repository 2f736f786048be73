"""How much is measured: everything a full run does, and the small run that only shows that it works."""

from __future__ import annotations

from dataclasses import dataclass

Size = tuple[int, int]  # (width, height) in pixels


@dataclass(frozen=True)
class Sizes:
    """Pictures and repetitions. `region` goes to the engine that takes whole files and is slow."""

    page: Size
    pages: int
    photograph: Size
    crop: Size  # for networks that would take minutes on a page
    region: Size
    small_page: Size  # for what is paid once a picture: starting a process
    small_pages: int
    large_photograph: Size
    job_pages: int  # of small_page
    interactive: Size
    load_s: int  # of one run of the load generator
    rounds: int  # 0: what each contest's time budget allows
    extras: bool


FULL = Sizes(
    page=(1400, 2000),
    pages=3,
    photograph=(1800, 1200),
    crop=(640, 480),
    region=(800, 400),  # two of sr_vulkan's own tiles of 400, none of them in part
    small_page=(700, 1000),
    small_pages=10,
    large_photograph=(8000, 6000),
    job_pages=20,
    interactive=(256, 256),
    load_s=5,
    rounds=0,
    extras=True,
)

QUICK = Sizes(
    page=(120, 160),
    pages=2,
    photograph=(160, 120),
    crop=(64, 48),
    region=(80, 40),
    small_page=(60, 80),
    small_pages=2,
    large_photograph=(240, 180),
    job_pages=3,
    interactive=(32, 32),
    load_s=1,
    rounds=1,
    extras=False,
)
