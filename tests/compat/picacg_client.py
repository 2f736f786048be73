"""A client as picacg's reader is one: pictures in from one thread, results polled in another, by numbers of its own.

`sr` is sr_vulkan or what stands in for it; nothing here knows which.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any


@dataclass
class Conversion:
    """What became of a picture. error: what `add` said where it took none."""

    number: int
    data: bytes | None = None
    format: str = ""
    seconds: float = 0.0
    ended: bool = False
    error: str = ""


class PicacgClient:
    """`start`, `convert` as often as wanted, `stop`. Uses the CPU where there is no real GPU."""

    def __init__(self, sr: Any) -> None:
        self._sr = sr
        self._changed = threading.Condition()
        self._conversions: dict[int, Conversion] = {}
        self._loading = threading.Thread(target=self._load_all, daemon=True)

    def start(self) -> None:
        sr = self._sr
        status = sr.init()
        gpus = sr.getGpuInfo()
        on_cpu = status < 0 or not gpus or all("llvm" in name.lower() for name in gpus)
        status = sr.initSet(-1, sr.getCpuCoreNum()) if on_cpu else sr.initSet(0)
        assert status == 0, sr.getLastError()
        self._loading.start()

    def convert(
        self, data: bytes, model: int, *, scale: float = 0.0, size: tuple[int, int] = (0, 0), **how: Any
    ) -> int:
        """Its number. how: format, tileSize."""
        with self._changed:
            number = len(self._conversions) + 1
            conversion = self._conversions[number] = Conversion(number)
        width_and_height_or_scale = [scale] if scale > 0 else list(size)
        status = self._sr.add(data, model, number, *width_and_height_or_scale, **how)
        if status <= 0:
            with self._changed:
                conversion.ended, conversion.error = True, self._sr.getLastError()
        return number

    def result(self, number: int, patience_s: float) -> Conversion:
        with self._changed:
            conversion = self._conversions[number]
            assert self._changed.wait_for(lambda: conversion.ended, patience_s), conversion
            return conversion

    def cancel(self, *numbers: int) -> None:
        self._sr.remove(list(numbers))

    def cancel_waiting(self, *numbers: int) -> None:
        self._sr.removeWaitProc(list(numbers))

    def ended(self, number: int) -> bool:
        with self._changed:
            return self._conversions[number].ended

    def stop(self, patience_s: float) -> None:
        self._sr.stop()
        self._loading.join(patience_s)
        assert not self._loading.is_alive()

    def _load_all(self) -> None:
        while (info := self._sr.load(0)) is not None:
            data, format_, number, seconds = info
            with self._changed:
                conversion = self._conversions[number]
                conversion.data, conversion.format, conversion.seconds = data, format_, round(seconds, 2)
                conversion.ended = True
                self._changed.notify_all()
