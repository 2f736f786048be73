"""One page in three steps, prepare, enlarge, store: the steps are apart so that they can overlap between pages."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from enlarger.cancel import CancelToken
from enlarger.enhance.cache import Render, RenderCache
from enlarger.enhance.enhancer import Enhancer, Enlarged
from enlarger.enhance.meter import Progress
from enlarger.enhance.recipe import Recipe
from enlarger.errors import OutOfMemoryError, PictureError
from enlarger.messages import msg
from enlarger.pictures import FORMATS, Header, Picture, decode, encode, read_header
from enlarger.runtimes import allowed_memory_bytes

_OUTPUT_BYTES_PER_PX = 8


@dataclass(frozen=True)
class Source:
    """A page to enlarge: the name it is known by, how to get its bytes, and what stands for them if they are made."""

    name: str
    read: Callable[[], bytes]
    identity: Callable[[], str | None] = lambda: None

    @classmethod
    def of_file(cls, path: Path) -> Source:
        """A picture file; reading it raises PictureError."""
        return cls(str(path), partial(_read_file, path))

    @classmethod
    def of_bytes(cls, data: bytes) -> Source:
        """A picture in memory."""
        return cls("<bytes>", lambda: data)


@dataclass(frozen=True)
class Prepared:
    """A page whose render is at hand, or whose picture is decoded and waits for the model."""

    name: str
    sha256: str
    header: Header
    key: str
    size: tuple[int, int]  # (width, height) of the output
    seconds: float = 0.0
    render: Render | None = None
    picture: Picture | None = None

    @property
    def output_px(self) -> int:
        """Pixels that still have to be computed and encoded."""
        return 0 if self.picture is None else self.size[0] * self.size[1] * len(self.picture.frames)

    def without_picture(self) -> Prepared:
        """The same page with its source's pixels let go."""
        return replace(self, picture=None)


class Rendering:
    """One recipe, an Enhancer and a cache. Each step may run on a thread of its own.

    `finished` may know, by a page's name and key, a render outside the cache.
    """

    def __init__(
        self,
        enhancer: Enhancer,
        cache: RenderCache,
        recipe: Recipe,
        finished: Callable[[str, str], Render | None] = lambda _name, _key: None,
    ) -> None:
        self._enhancer = enhancer
        self._cache = cache
        self._recipe = recipe
        self._finished = finished

    def prepare(self, source: Source) -> Prepared:
        """Read, identify, look into the cache, decode what is not there; raises InputError, ModelError."""
        started = time.perf_counter()
        data = source.read()
        page = self._identify(source, data)
        render = self._finished(page.name, page.key) or self._cache.get(page.key)
        if render is not None:
            return replace(page, render=render)
        limit = self._enhancer.settings.max_megapixels
        picture = decode(data, name=source.name, max_megapixels=limit, animated=self._keeps_frames)
        _check_output(page.name, page.size, len(picture.frames), picture.pixels.itemsize)
        return replace(page, picture=picture, seconds=time.perf_counter() - started)

    @property
    def _keeps_frames(self) -> bool:
        """Whether frames after the first are worth computing."""
        return self._recipe.format == "same" or FORMATS[self._recipe.format].frames

    def key(self, source: Source) -> str:
        """The key that the page's render has or would have; raises InputError."""
        return self._identify(source, source.read()).key

    def _identify(self, source: Source, data: bytes) -> Prepared:
        header = read_header(data, name=source.name)
        sha256 = source.identity() or hashlib.sha256(data).hexdigest()
        key = self._enhancer.key(self._recipe, sha256, header.width, header.height)
        size = self._recipe.output_size(header.width, header.height)
        _check_output(source.name, size)
        return Prepared(source.name, sha256, header, key, size)

    def enlarge(
        self, page: Prepared, *, progress: Progress | None = None, cancel: CancelToken | None = None
    ) -> Enlarged | Render:
        """The page through the model; its render if the same page was stored since it was prepared."""
        render = page.render or self._cache.get(page.key)
        if render is not None or page.picture is None:
            assert render is not None
            return render
        return self._enhancer.enlarge(page.picture, self._recipe, progress=progress, cancel=cancel)

    def store(self, page: Prepared, enlarged: Enlarged) -> Render:
        """Encode and keep; durable on return. Raises PictureError, StorageError."""
        started = time.perf_counter()
        recipe, picture = self._recipe, enlarged.picture
        wanted = picture.format if recipe.format == "same" else recipe.format
        encoded = encode(picture, format=wanted, quality=recipe.quality, lossless=recipe.lossless)
        facts: dict[str, Any] = {
            "recipe": recipe.as_dict(),
            "source_sha256": page.sha256,
            "decode_seconds": round(page.seconds, 3),
            "encode_seconds": round(time.perf_counter() - started, 3),
            "metadata": {"had": list(picture.metadata.kinds), "kept": list(encoded.kept)},
            "frames": len(picture.frames),
            "bits": picture.bits,
            "notes": [note.as_json() for note in (*picture.notes, *encoded.notes)],
            **enlarged.facts.as_dict(),
        }
        # the key anew: running out of memory changes it for networks whose result depends on the tile
        key = self._enhancer.key(recipe, page.sha256, page.header.width, page.header.height)
        return self._cache.put(key, encoded.data, encoded.format, facts)

    def render(self, source: Source, *, progress: Progress | None = None, cancel: CancelToken | None = None) -> Render:
        """All three steps for one page."""
        page = self.prepare(source)
        result = self.enlarge(page, progress=progress, cancel=cancel)
        return result if isinstance(result, Render) else self.store(page, result)


def no_memory_for(name: str) -> OutOfMemoryError:
    """What a MemoryError means to the person whose page `name` is."""
    return OutOfMemoryError(
        msg("{name}: there is not enough memory for a picture of this size.", name=name),
        msg("Give a smaller --scale, or close other programs."),
    )


def _check_output(name: str, size: tuple[int, int], frames: int = 1, sample_bytes: int = 1) -> None:
    """Refuse what would not fit into memory: a canvas for every frame, and what encoding needs beside it."""
    if size[0] * size[1] * frames * sample_bytes * _OUTPUT_BYTES_PER_PX <= allowed_memory_bytes():
        return
    if frames == 1:
        raise PictureError(
            msg(
                "{name}: {width} x {height} pixels are more than memory holds.",
                name=name,
                width=size[0],
                height=size[1],
            ),
            msg("Give a smaller --scale, or --width and --height."),
        )
    raise PictureError(
        msg(
            "{name}: {frames} frames of {width} x {height} pixels are more than memory holds.",
            name=name,
            frames=frames,
            width=size[0],
            height=size[1],
        ),
        msg("Give a smaller --scale, or --format jpeg, which takes the first frame only."),
    )


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(
            msg("{path}: cannot be read ({reason}).", path=path, reason=error.strerror or str(error)),
            msg("Check that the file is there and that you may read it."),
        ) from error
