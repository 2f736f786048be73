"""What stays of a picture through each format, found out by doing it: the tables of docs/formats.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from foreign_files import DURATIONS_MS, EXIF, HEIGHT, MADE, WIDTH, deep, frames, wide_profile
from picture_making import XMP, scene

from enlarger.messages import Message
from enlarger.pictures import FORMATS, Animation, Frame, Metadata, Picture, decode, encode

KEPT = "✔"
NONE = "–"
_NEAR = 24  # of 255: lossy codecs on smooth shades; transparency, profile and depth mistakes are far beyond
Cell = str | tuple[str, ...]


def reading(prop: str, kind: str) -> Cell:
    """What becomes of a file that another library made."""
    make, formats = MADE[prop]
    if kind not in formats:
        return NONE
    picture = decode(make(kind), name=kind)
    return _cell(_is_read(prop, kind, picture), picture.notes, f"reading {prop} from {kind}")


def writing(prop: str, kind: str) -> Cell:
    """What becomes of a picture that has it."""
    picture = PICTURES[prop]()
    encoded = encode(picture, format=kind, lossless=FORMATS[kind].lossless == "choice")
    again = decode(encoded.data, name=kind)
    notes = [note for note in encoded.notes if not _is_of_the_format(note)]
    kept = encoded.format == kind and _is_written(prop, picture, again)
    return _cell(kept, notes, f"writing {prop} to {kind}")


def _cell(kept: bool, notes: list[Message] | tuple[Message, ...], what: str) -> Cell:
    if kept:
        return KEPT
    assert notes, f"{what}: lost, and nobody is told"
    return tuple(note.text("en") for note in notes)


def _is_of_the_format(note: Message) -> bool:
    """Told for every picture: not what is asked here."""
    return any(word in note.text("en") for word in ("highest quality", "never lossless", "256 colours", "how often"))


def _is_read(prop: str, kind: str, picture: Picture) -> bool:
    metadata = picture.metadata
    checks: dict[str, Callable[[], bool]] = {
        "ICC": lambda: metadata.icc == wide_profile(),
        "EXIF": lambda: b"Camera" in (metadata.exif or b"") and b"2024:01:02" in (metadata.exif or b""),
        "XMP": lambda: metadata.xmp == XMP % 1,
        "orientation": lambda: picture.pixels.shape[:2] == (WIDTH, HEIGHT),
        "DPI": lambda: metadata.dpi is not None and np.allclose(metadata.dpi, (300, 240), atol=0.05),
        "alpha": lambda: picture.alpha is not None and int(picture.alpha.max()) > int(picture.alpha.min()),
        "grey": lambda: picture.pixels.shape[2] == 1,
        "16 bits": lambda: _is_deep_as_made(kind, picture),
        "CMYK": lambda: False,
        "animation": lambda: picture.animation is not None and picture.animation.durations_ms == DURATIONS_MS,
    }
    return checks[prop]()


def _is_deep_as_made(kind: str, picture: Picture) -> bool:
    _, samples, off = deep(kind)
    return picture.is_deep and int(np.abs(picture.pixels.astype(int) - samples).max()) <= off


def _plain() -> Picture:
    return Picture(scene(HEIGHT, WIDTH, 3), None, Metadata(), "png")


def _with(**metadata: object) -> Picture:
    return replace(_plain(), metadata=Metadata(**metadata))  # type: ignore[arg-type]


def _with_alpha() -> Picture:
    picture = _plain()
    return replace(picture, alpha=np.tile(np.linspace(255, 0, WIDTH).astype(np.uint8), (HEIGHT, 1)))


def _animated() -> Picture:
    first, *later = (Frame(pixels, None) for pixels in frames())
    return replace(_plain(), pixels=first.pixels, animation=Animation(tuple(later), DURATIONS_MS))


PICTURES: dict[str, Callable[[], Picture]] = {
    "ICC": lambda: _with(icc=wide_profile()),
    "EXIF": lambda: _with(exif=EXIF[6:]),
    "XMP": lambda: _with(xmp=XMP % 1),
    "DPI": lambda: _with(dpi=(300.0, 240.0)),
    "alpha": _with_alpha,
    "grey": lambda: replace(_plain(), pixels=scene(HEIGHT, WIDTH, 1)),
    "16 bits": lambda: Picture(deep("png")[1], None, Metadata(), "png", bits=16),
    "animation": _animated,
}


def _is_written(prop: str, picture: Picture, again: Picture) -> bool:
    before, after = picture.metadata, again.metadata
    checks: dict[str, Callable[[], bool]] = {
        "ICC": lambda: after.icc == before.icc,
        "EXIF": lambda: b"Camera" in (after.exif or b"") and b"2024:01:02" in (after.exif or b""),
        "XMP": lambda: after.xmp == before.xmp,
        "DPI": lambda: after.dpi is not None and np.allclose(after.dpi, (300, 240), atol=0.05),
        "alpha": lambda: again.alpha is not None and _near(picture.alpha, again.alpha),
        "grey": lambda: again.pixels.shape[2] == 1,
        "16 bits": lambda: again.is_deep and np.array_equal(again.pixels, picture.pixels),
        "animation": lambda: len(again.frames) == 3 and again.animation.durations_ms == DURATIONS_MS
        and all(_near(a.pixels, b.pixels) for a, b in zip(picture.frames, again.frames, strict=True)),
    }  # fmt: skip
    return checks[prop]()


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and int(np.abs(one.astype(int) - other).max()) <= _NEAR


def tables() -> str:
    """Both tables and what they refer to, as Markdown."""
    losses: dict[str, int] = {}
    read = _table("Read · 读入", list(MADE), reading, losses)
    written = _table("Written · 写出", list(PICTURES), writing, losses)
    told = "\n".join(f"{number}. {loss}" for loss, number in losses.items())
    return f"{_facts()}\n{read}\n{written}\n### Losses\n\n{told}\n"


def _facts() -> str:
    rows = [
        "| format | suffixes | bits written | longest side | without loss | also written |",
        "|---|---|---|---|---|---|",
    ]
    for entry in FORMATS.values():
        moving = "animations" if entry.frames else ""
        suffixes = " ".join(f"`{suffix}`" for suffix in entry.suffixes)
        rows.append(
            f"| {entry.label} | {suffixes} | {entry.bits} | {entry.max_side_px} | {entry.lossless} | {moving} |"
        )
    return "\n".join(rows) + "\n"


def _table(title: str, props: list[str], find: Callable[[str, str], Cell], losses: dict[str, int]) -> str:
    rows = [f"| {title} | {' | '.join(props)} |", "|---" * (len(props) + 1) + "|"]
    for kind, entry in FORMATS.items():
        cells = [_shown(find(prop, kind), losses) for prop in props]
        rows.append(f"| {entry.label} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _shown(cell: Cell, losses: dict[str, int]) -> str:
    if isinstance(cell, str):
        return cell
    return ", ".join(f"[{losses.setdefault(loss, len(losses) + 1)}](#losses)" for loss in cell)
