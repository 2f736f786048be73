"""Codecs, colour, alpha and metadata: files into arrays and back, with nothing lost unsaid."""

from enlarger.pictures.alpha import bleed
from enlarger.pictures.canvas import canvas
from enlarger.pictures.decode import decode
from enlarger.pictures.encode import encode
from enlarger.pictures.formats import FORMATS, OUTPUT_SUFFIXES, SUFFIXES, Format, format_named, spelled
from enlarger.pictures.header import is_on_its_side, read_header
from enlarger.pictures.picture import Animation, Encoded, Frame, Header, Metadata, Picture, Pixels
from enlarger.pictures.preview import preview

__all__ = [
    "FORMATS",
    "OUTPUT_SUFFIXES",
    "SUFFIXES",
    "Animation",
    "Encoded",
    "Format",
    "Frame",
    "Header",
    "Metadata",
    "Picture",
    "Pixels",
    "bleed",
    "canvas",
    "decode",
    "encode",
    "format_named",
    "is_on_its_side",
    "preview",
    "read_header",
    "spelled",
]
