"""A full disk is a clear error with a code of its own; with room again, the same command finishes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from page_files import write_pages
from real_command import EXACT, Command, tree

from loud_skips import missing

pytestmark = [pytest.mark.weights, pytest.mark.skipif(os.name == "nt", reason="mounts a small disk")]

_PAGES = 8
_NOT_ALLOWED = 77
_DRIVER = """
    import json, os, subprocess, sys
    folder, small, size, arguments = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    def mount(*options):
        if subprocess.run(["mount", *options]).returncode:
            sys.exit(77)
    def run():
        done = subprocess.run(arguments, capture_output=True, text=True, encoding="utf-8")
        names = sorted(name for _, _, files in os.walk(small) for name in files)
        return {"code": done.returncode, "out": done.stdout, "err": done.stderr, "files": names}
    mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", small)
    full = run()
    mount("-o", "remount,size=64m", small)
    again = run()
    subprocess.run(["cp", "-r", small, folder], check=True)
    print(json.dumps([full, again]))
"""


def on_a_small_disk(enlarger: Command, folder: Path, small: Path, size_kib: int, *arguments: object) -> list[dict]:
    """The command on a disk at `small` that is too small, and again with room; what lay there is copied out.

    The disk is mounted in a mount namespace of its own, so that nothing of it outlives the test.
    """
    if not shutil.which("unshare"):
        missing("unshare, by which a small disk is mounted,")
    command = [sys.executable, "-m", "enlarger", "upscale", *map(str, arguments), *EXACT, "--json"]
    driver = [sys.executable, "-c", textwrap.dedent(_DRIVER), str(folder), str(small), str(size_kib)]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *driver, json.dumps(command)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=enlarger.variables(),
        check=False,
    )
    if done.returncode == _NOT_ALLOWED or "unshare:" in done.stderr:
        missing("the right to mount a small disk")
    assert done.returncode == 0, done.stderr
    results: list[dict] = json.loads(done.stdout)
    return results


@pytest.mark.slow
@pytest.mark.parametrize("place", ["cache", "out"])
def test_a_full_disk(enlarger: Command, other: Command, tmp_path: Path, place: str) -> None:
    """Whether the renders or the results have no room."""
    pages = write_pages(tmp_path / "book", _PAGES, 120, 160)
    (tmp_path / place).mkdir()
    (tmp_path / "copy").mkdir()
    out = tmp_path / "out" / "larger"
    full, again = on_a_small_disk(enlarger, tmp_path / "copy", tmp_path / place, 160, pages, "-o", out)
    assert full["code"] == 6, full["err"]
    assert "the disk is full" in full["err"]
    assert str(tmp_path / place) in full["err"]
    assert "Make room" in full["err"]
    assert "Traceback" not in full["err"]
    assert not [name for name in full["files"] if name.startswith(".enlarger-")]
    kept = json.loads(full["out"])["totals"]["computed"]
    assert 0 < kept < _PAGES
    assert again["code"] == 0, again["err"]
    totals = json.loads(again["out"])["totals"]
    assert totals["computed"] + totals["cached"] + totals["kept"] == _PAGES
    assert totals["computed"] <= _PAGES - kept
    other.upscale(pages, "-o", tmp_path / "undisturbed")
    result = tmp_path / "copy" / "out" / "larger" if place == "out" else out
    assert tree(result) == tree(tmp_path / "undisturbed")
