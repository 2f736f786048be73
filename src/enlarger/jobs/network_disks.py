"""Whether a folder lies on another machine's disk, where SQLite's shared memory and locks do not hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import psutil

_NETWORK_TYPES = frozenset(
    {"9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "davfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs"}
    | {"nfs3", "nfs4", "pvfs2", "rclone", "s3fs", "smb2", "smb3", "smbfs", "sshfs", "webdav"}
)


class Partition(Protocol):
    """A mounted disk as psutil tells of it."""

    @property
    def mountpoint(self) -> str: ...
    @property
    def fstype(self) -> str: ...
    @property
    def opts(self) -> str: ...


Partitions = Callable[[], Iterable[Partition]]


def mounted() -> Iterable[Partition]:
    """Every mounted disk, those of other machines too."""
    return psutil.disk_partitions(all=True)


def network_type(path: Path, partitions: Partitions = mounted) -> str:
    """The network file system that `path` lies on, such as "nfs4"; "" on a disk of this machine.

    FUSE types count by what stands behind the dot (`fuse.sshfs`); Windows marks its drives as remote.
    """
    real = os.path.realpath(path)
    if real.startswith("\\\\") and not real.startswith("\\\\?\\"):
        return "UNC"
    best: Partition | None = None
    for partition in partitions():  # of two mounts at one place the later lies on top
        if _holds(partition.mountpoint, real) and (best is None or len(partition.mountpoint) >= len(best.mountpoint)):
            best = partition
    return "" if best is None else _network(best)


def _holds(mountpoint: str, path: str) -> bool:
    mountpoint, path = os.path.normcase(mountpoint), os.path.normcase(path)
    return path == mountpoint or path.startswith(mountpoint.rstrip(os.sep) + os.sep)


def _network(partition: Partition) -> str:
    kind = partition.fstype.lower()
    if kind.rpartition(".")[2] in _NETWORK_TYPES:
        return partition.fstype
    return "remote" if "remote" in partition.opts.split(",") else ""
