"""Heavy libraries: loaded when needed, and a missing one says how to get it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from foreign_files import deep, saved
from picture_making import scene

from enlarger.errors import PictureError
from enlarger.pictures import Metadata, Picture, decode, encode

NEEDED = {
    "heic": ("pillow_heif", "pillow-heif"),
    "jxl": ("pillow_jxl", "pillow-jxl-plugin"),
    "tiff": ("tifffile", "tifffile"),
}


@pytest.mark.parametrize("kind", NEEDED)
def test_a_missing_library_is_named_with_its_remedy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(kind, scene(9, 9, 3))
    module, package = NEEDED[kind]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PictureError, match=f"library {package} is missing") as caught:
        decode(data, name="x")
    assert f"pip install {package}" in caught.value.text("en")


def test_sixteen_bits_need_a_library_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    data, samples, _ = deep("png")
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(PictureError, match="pip install imagecodecs"):
        decode(data, name="x")
    with pytest.raises(PictureError, match="pip install imagecodecs"):
        encode(Picture(samples, None, Metadata(), "png", bits=16), format="png")
    assert decode(saved("png", scene(9, 9, 3)), name="x").width == 9


def test_none_is_loaded_for_the_formats_of_every_day() -> None:
    code = (
        "import sys, numpy as np\n"
        "from enlarger.pictures import Metadata, Picture, decode, encode\n"
        "picture = Picture(np.zeros((8, 8, 3), np.uint8), None, Metadata(), 'png')\n"
        "for kind in ('jpeg', 'png', 'webp', 'gif', 'bmp', 'avif'):\n"
        "    decode(encode(picture, format=kind).data, name='x')\n"
        "heavy = {'imagecodecs', 'tifffile', 'pillow_heif', 'pillow_jxl'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
