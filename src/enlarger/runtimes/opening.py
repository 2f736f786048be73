"""Opening a session: which runtime, device and arithmetic a request means on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress

from enlarger.errors import RuntimeFailedError, StorageError, UnknownModelError
from enlarger.messages import msg
from enlarger.models import Choice, Graph, load_catalog
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.calibration import BUDGET_S, Calibration, Candidate, calibrate
from enlarger.runtimes.calibration_store import FILE_NAME, CalibrationStore, Machine
from enlarger.runtimes.devices import find_devices, known_runtimes, runtimes_for
from enlarger.runtimes.hardware import cpu_features, cpu_name
from enlarger.runtimes.session import FP32, UINT8, Runtime, Session
from enlarger.settings import Settings
from enlarger.storage import one_at_a_time

EXACT = "exact"
_calibrating = threading.Lock()  # two calibrations at once would falsify each other


def open_session(
    graph: Graph,
    *,
    tile: tuple[int, int],
    batch: int = 1,
    device: str = "auto",
    precision: str = "auto",
    pixels: str = UINT8,
    settings: Settings,
    runtimes: Mapping[str, Runtime] | None = None,
) -> Session:
    """A session for `graph` at `tile` (h, w), surroundings included, for up to `batch` tiles a call.

    `device`: "auto", "cpu", a runtime ("ncnn") or both ("openvino:cpu"). `precision`: "exact" is fp32, "auto" the
    fastest that keeps within 50 dB of it. `runtimes` replaces the ones that come with Enlarger.
    The first "auto" for a network on a machine measures for about three seconds and remembers.
    Raises OutOfMemoryError or RuntimeFailedError.
    """
    known = runtimes if runtimes is not None else runtimes_for(device, settings)
    chosen = choose(graph, device=device, precision=precision, settings=settings, runtimes=known)
    runtime = known[chosen.runtime]
    return runtime.open(graph, tile=tile, device=chosen.device, dtype=chosen.dtype, pixels=pixels, batch=batch)


def choose(
    graph: Graph, *, device: str, precision: str, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Candidate:
    """The fastest candidate that keeps the promise of `precision`; raises RuntimeFailedError."""
    exact = precision == EXACT
    everything = _candidates(graph, "auto", runtimes)
    wanted = [c for c in _candidates(graph, device, runtimes) if c.dtype == FP32 or not exact]
    if not wanted:
        raise RuntimeFailedError(
            msg("{device} cannot run {model}.", device=device, model=graph.variant.name),
            msg("Leave out the device, or run `enlarger devices` to see what is here."),
        )
    if len(wanted) == 1 or not runtimes[wanted[-1].runtime].calibrates:
        return wanted[-1]
    calibration = calibrated(graph, everything, settings=settings, runtimes=runtimes)
    return calibration.fastest(wanted, exact=exact) or wanted[0]


def recalibrate(graph: Graph, settings: Settings) -> Calibration:
    """Measure the graph's network anew on everything that is here, and remember it; raises RuntimeFailedError."""
    runtimes = known_runtimes(settings)
    candidates = _candidates(graph, "auto", runtimes)
    with _calibrating, _alone(settings):
        trials = [(runtimes[candidate.runtime], candidate) for candidate in candidates]
        measured = calibrate(graph, trials, card=_card_name(graph), budget_s=BUDGET_S)
        calibration_store(settings, runtimes).put(measured)
    return measured


def calibrated(
    graph: Graph, candidates: Sequence[Candidate], *, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Calibration:
    """What is remembered for the graph's network, or what is measured now."""
    store = calibration_store(settings, runtimes)
    with _calibrating:
        known = store.get(graph.variant.name)
        if known is not None and known.covers(candidates):
            return known
        with _alone(settings):
            known = store.get(graph.variant.name)  # another process may just have measured it
            if known is None or not known.covers(candidates):
                trials = [(runtimes[candidate.runtime], candidate) for candidate in candidates]
                known = calibrate(graph, trials, card=_card_name(graph), budget_s=BUDGET_S)
                store.put(known)
    return known


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """No other process of this folder measures meanwhile; where nothing can be written there, one may."""
    with ExitStack() as stack:
        with suppress(StorageError):
            stack.enter_context(one_at_a_time(settings.data_dir / FILE_NAME))
        yield


def list_calibrations(settings: Settings) -> tuple[Calibration, ...]:
    """What is remembered for this machine as it now is, by network."""
    known = calibration_store(settings, known_runtimes(settings)).all()
    return tuple(known[network] for network in sorted(known))


def calibration_store(settings: Settings, runtimes: Mapping[str, Runtime]) -> CalibrationStore:
    """The calibrations of this machine, with these runtimes."""
    versions = {name: runtime.version for name, runtime in runtimes.items()}
    machine = Machine(cpu_name(), cpu_features(), settings.threads or allowed_cores(), versions)
    return CalibrationStore(settings.data_dir / FILE_NAME, machine)


def _candidates(graph: Graph, device: str, runtimes: Mapping[str, Runtime]) -> list[Candidate]:
    return [
        Candidate(found.runtime, found.id, dtype)
        for found in find_devices(device, runtimes)
        if runtimes[found.runtime].supports(graph)
        for dtype in found.dtypes
    ]


def _card_name(graph: Graph) -> str:
    try:
        found = load_catalog().find(graph.variant.name)
    except UnknownModelError:  # a network that is in no card of ours
        return graph.variant.name
    return found.card.name if isinstance(found, Choice) else found.name
