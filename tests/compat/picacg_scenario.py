"""One afternoon of a picacg client, told as plain values, so that two modules behind it can be compared.

Run as a program it plays with the real sr_vulkan, in a process of its own because that may crash.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

from picacg_client import Conversion, PicacgClient
from PIL import Image

SIZE = (20, 16)
LYING = {"lying, scale 2": [32, 40], "lying, scale 2.5": [40, 50], "lying, width and height": [40, 60]}
"""JPEG with EXIF's orientation 6: sr_vulkan forgets EXIF and leaves them lying; upright they have these sides."""
MODEL = "MODEL_WAIFU2X_ANIME_UP2X"

CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "png": ("PNG", {"scale": 2}),
    "jpeg": ("JPEG", {"scale": 2}),
    "webp": ("WEBP", {"scale": 2}),
    "gif becomes webp": ("GIF", {"scale": 2}),
    "png to jpg": ("PNG", {"scale": 2, "format": "jpg"}),
    "png to jpeg": ("PNG", {"scale": 2, "format": "jpeg"}),
    "png to WEBP": ("PNG", {"scale": 2, "format": "WEBP"}),
    "png to apng": ("PNG", {"scale": 2, "format": "apng"}),
    "transparent": ("RGBA", {"scale": 2}),
    "transparent to jpg": ("RGBA", {"scale": 2, "format": "jpg"}),
    "moving gif becomes webp": ("moving GIF", {"scale": 2}),
    "moving gif to jpg": ("moving GIF", {"scale": 2, "format": "jpg"}),
    "moving png": ("moving PNG", {"scale": 2}),
    "moving webp": ("moving WEBP", {"scale": 2}),
    "scale 2.5": ("PNG", {"scale": 2.5}),
    "scale 3": ("PNG", {"scale": 3}),
    "scale 2.51 rounds up": ("PNG", {"scale": 2.51}),
    "smaller": ("PNG", {"scale": 0.5}),
    "width and height": ("PNG", {"size": (50, 40)}),
    "another shape": ("PNG", {"size": (50, 100)}),
    "small tiles": ("PNG", {"scale": 2, "tileSize": 32}),
    "to gif": ("PNG", {"scale": 2, "format": "gif"}),
    "to nothing": ("PNG", {"scale": 2, "format": "zzz"}),
    "scale 0": ("PNG", {"scale": 0}),
    "nonsense": ("nonsense", {"scale": 2}),
    "lying, scale 2": ("lying JPEG", {"scale": 2}),
    "lying, scale 2.5": ("lying JPEG", {"scale": 2.5}),
    "lying, width and height": ("lying JPEG", {"size": (60, 40)}),
}


def picture(kind: str) -> bytes:
    if kind == "nonsense":
        return b"nonsense" * 20
    moving, lying, name = kind.startswith("moving "), kind.startswith("lying "), kind.rpartition(" ")[2]
    images = [Image.effect_noise(SIZE, 60).convert("RGBA" if name == "RGBA" else "RGB") for _ in range(3)]
    file = io.BytesIO()
    options: dict[str, Any] = {}
    if moving:
        options = {"save_all": True, "append_images": images[1:], "duration": [40, 80, 120]}
    if lying:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6
    images[0].save(file, "PNG" if name == "RGBA" else name, **options)
    return file.getvalue()


def played(sr: Any, patience_s: float) -> dict[str, list[Any]]:
    """What became of each case: by its name [error, format as told, format, size, frames]."""
    client = PicacgClient(sr)
    client.start()
    model = getattr(sr, MODEL)
    numbers = {name: client.convert(picture(kind), model, **how) for name, (kind, how) in CASES.items()}
    told = {name: _told(client.result(number, patience_s)) for name, number in numbers.items()}
    gone = client.convert(picture("PNG"), model, scale=2)
    client.cancel(gone)
    client.cancel_waiting(gone)
    client.stop(patience_s)
    return told


def _told(conversion: Conversion) -> list[Any]:
    if not conversion.data:
        return [conversion.error, conversion.format, None, None, 0]
    with Image.open(io.BytesIO(conversion.data)) as image:
        return [conversion.error, conversion.format, image.format, list(image.size), getattr(image, "n_frames", 1)]


if __name__ == "__main__":
    from sr_vulkan import sr_vulkan

    models = {name: getattr(sr_vulkan, name) for name in dir(sr_vulkan) if name.startswith("MODEL_")}
    functions = [name for name in dir(sr_vulkan) if not name.startswith(("_", "MODEL_"))]
    print("\n" + json.dumps({"models": models, "functions": functions, "played": played(sr_vulkan, 240.0)}), flush=True)
    os._exit(0)  # its threads may still be at work, and it has crashed at the end
