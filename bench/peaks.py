"""Peak memory of the command on one picture: a page, and a photograph of 48 megapixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.alternate import PeerError
from bench.memory import Spent, spent_by
from bench.resident import command, folders_of
from bench.sizes import Sizes
from bench.subjects import Studio, Subject


@dataclass(frozen=True)
class Peak:
    """What a command on one picture took, or why it failed. `asked`: what the memory should stay under, or ""."""

    what: str
    size: tuple[int, int]
    spent: Spent | None
    problem: str = ""
    asked: str = ""


def peaks(studio: Studio, sizes: Sizes, scratch: Path, say: Callable[[str], None]) -> Iterator[Peak]:
    """One process each, with what is in `scratch` from before: a card that was calibrated is not calibrated again."""
    page = studio.pages(1, sizes.page)[0]
    large = studio.photograph(sizes.large_photograph)
    cunet, video = ("--model", "waifu2x-cunet", "--scale", "2"), ("--model", "realesr-animevideov3", "--scale", "4")
    yield _peak("page, waifu2x-cunet 2x to WebP", page, scratch, ".webp", cunet, say)
    yield _peak("page, realesr-animevideov3 4x to JPEG", page, scratch, ".jpg", video, say)
    yield _peak("photograph, waifu2x-cunet 2x to JPEG", large, scratch, ".jpg", cunet, say, asked="< 2.5 GB")


def _peak(
    what: str,
    subject: Subject,
    scratch: Path,
    suffix: str,
    options: tuple[str, ...],
    say: Callable[[str], None],
    asked: str = "",
) -> Peak:
    target = scratch / f"peak{suffix}"
    try:
        spent = spent_by(command(subject.path, target, *options), folders_of(scratch))
    except PeerError as error:
        return Peak(what, subject.size, None, str(error), asked)
    finally:
        target.unlink(missing_ok=True)
    say(f"  peak memory, {what}: {spent.peak_bytes / 1e9:.2f} GB, {spent.seconds:.1f} s")
    return Peak(what, subject.size, spent, asked=asked)
