"""What executes graphs: OpenVINO, ncnn, a fake; which is truly in use, and which is fastest here."""

from enlarger.runtimes.fake import FakeRuntime, FakeSession, Misfortune
from enlarger.runtimes.opening import open_session
from enlarger.runtimes.session import Device, GraphLike, Runtime, Session, SessionSpec, Tile

__all__ = [
    "Device",
    "FakeRuntime",
    "FakeSession",
    "GraphLike",
    "Misfortune",
    "Runtime",
    "Session",
    "SessionSpec",
    "Tile",
    "open_session",
]
