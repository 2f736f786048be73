"""What reads and writes each file format: one module a family, all behind the seam of `codec.Codec`."""

from enlarger.pictures.codecs.codec import Codec, Manner, Reading
from enlarger.pictures.codecs.known import codec_for

__all__ = ["Codec", "Manner", "Reading", "codec_for"]
