"""The process that keeps its model: paths of pictures on stdin, a line on stdout when each is enlarged."""

from __future__ import annotations

import sys

import enlarger


def main() -> None:
    """Enlarge each picture named on stdin, 2x to WebP at the command's own quality."""
    for line in sys.stdin:
        upscaled = enlarger.upscale(line.rstrip("\n"), format="webp")
        print(len(upscaled.data), flush=True)


if __name__ == "__main__":
    main()
