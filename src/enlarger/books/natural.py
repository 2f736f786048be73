"""Reading order: page 2 before page 10, whatever the system and its locale."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from natsort import natsort_keygen, ns

_part_key = natsort_keygen(alg=ns.INT | ns.IGNORECASE)


def natural_key(name: str) -> tuple[Any, ...]:
    """Sort key of a POSIX path: numbers by value (full-width ones too), case ignored, folder by folder.

    The order is total: names that read alike ("1.jpg", "01.jpg") fall back to their code points. The suffix
    is compared after the stem, so that "01.jpg" comes before "01 (2).jpg".
    """
    path = PurePosixPath(name)
    parts = (*path.parent.parts, path.stem, path.suffix)
    return tuple(_part_key(part) for part in parts), name
