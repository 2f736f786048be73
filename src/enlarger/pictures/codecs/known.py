"""Which module is whose: imported when a format is first met, so that no library is loaded in vain."""

from __future__ import annotations

from importlib import import_module

from enlarger.pictures.codecs.codec import Codec


def codec_for(name: str) -> Codec:
    """The codec of a key of FORMATS."""
    codec = import_module(f"enlarger.pictures.codecs.{name}").CODEC
    assert isinstance(codec, Codec)
    return codec
