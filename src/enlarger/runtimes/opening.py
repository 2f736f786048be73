"""Opening a session: which runtime, device and arithmetic a request means on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from enlarger.errors import OutOfMemoryError, RuntimeFailedError, StorageError, UnknownModelError
from enlarger.messages import Message, msg
from enlarger.models import Choice, Graph, load_catalog
from enlarger.runtimes.allowance import allowed_cores
from enlarger.runtimes.calibration import BUDGET_S, Calibration, Candidate, calibrate
from enlarger.runtimes.calibration_store import FILE_NAME, CalibrationStore, Machine
from enlarger.runtimes.device_troubles import TROUBLES
from enlarger.runtimes.devices import AUTO, could_be_a_device, find_devices, known_runtimes, runtimes_for
from enlarger.runtimes.hardware import cpu_features, cpu_limits, cpu_name
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

    `device`: as `find_devices` has it. `precision`: "exact" is fp32, "auto" the fastest that keeps within 50 dB of it.
    `runtimes` replaces the ones that come with Enlarger. The first "auto" for a network on a machine measures for about
    three seconds and remembers. Where the device is not here, cannot run the network, cannot be opened or failed
    lately, the next fastest takes over, and the session's spec says why.
    Raises OutOfMemoryError, and RuntimeFailedError when nothing is left or no device is ever called so.
    """
    known = runtimes if runtimes is not None else runtimes_for(device, settings)
    why: Message | None = None
    failure: RuntimeFailedError | None = None
    for candidate in _in_turn(graph, device, precision, settings, known):
        if isinstance(candidate, RuntimeFailedError):
            why, failure = why or candidate.message, failure or candidate
            continue
        try:
            session = known[candidate.runtime].open(
                graph, tile=tile, device=candidate.device, dtype=candidate.dtype, pixels=pixels, batch=batch
            )
        except OutOfMemoryError:
            raise
        except RuntimeFailedError as error:
            TROUBLES.note(candidate.runtime, candidate.device, error.message, graph=graph.digest)
            why, failure = why or error.message, failure or error
            continue
        session.spec = replace(session.spec, fallback=why)
        return session
    assert failure is not None, "there was a candidate, or a reason why not"
    raise failure


def _in_turn(
    graph: Graph, device: str, precision: str, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Iterator[Candidate | RuntimeFailedError]:
    """What was meant, then whatever else could do it; between them why not. Devices in trouble come last."""
    late: list[Candidate] = []
    for found in _each_device(graph, device, precision, settings, runtimes):
        trouble = TROUBLES.of(found.runtime, found.device, graph.digest) if isinstance(found, Candidate) else None
        if isinstance(found, Candidate) and trouble is not None:
            late.append(found)
            yield RuntimeFailedError(trouble)
        else:
            yield found
    yield from late


def _each_device(
    graph: Graph, device: str, precision: str, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Iterator[Candidate | RuntimeFailedError]:
    """The fastest of what `device` means, then the best of each other, those that it means first."""
    seen: set[tuple[str, str]] = set()
    for name in dict.fromkeys((device, AUTO)):
        try:
            first = choose(graph, device=name, precision=precision, settings=settings, runtimes=runtimes)
        except RuntimeFailedError as error:
            if not could_be_a_device(name):
                raise
            yield error
            continue
        rest = (f"{each.runtime}:{each.device}" for each in _candidates(graph, name, runtimes))
        for each in (first, *_best_of(rest, graph, precision, settings, runtimes)):
            if (each.runtime, each.device) not in seen:
                seen.add((each.runtime, each.device))
                yield each


def _best_of(
    devices: Iterable[str], graph: Graph, precision: str, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Iterator[Candidate]:
    for name in dict.fromkeys(devices):
        with suppress(RuntimeFailedError):  # it cannot keep the promise of the precision
            yield choose(graph, device=name, precision=precision, settings=settings, runtimes=runtimes)


def choose(
    graph: Graph, *, device: str, precision: str, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Candidate:
    """The fastest candidate that keeps the promise of `precision`; raises RuntimeFailedError."""
    exact = precision == EXACT
    wanted = [c for c in _candidates(graph, device, runtimes) if c.dtype == FP32 or not exact]
    if not wanted:
        raise _cannot_run(graph, device)
    if [each.dtype for each in wanted] == [FP32] or not runtimes[wanted[-1].runtime].calibrates:
        return wanted[-1]
    everything = list(dict.fromkeys((*_candidates(graph, AUTO, runtimes), *wanted)))
    calibration = calibrated(graph, everything, settings=settings, runtimes=runtimes)
    found = calibration.fastest(wanted, exact=exact) or _unmeasured(wanted, calibration, last_resort=device == AUTO)
    if found is None:
        raise _too_far_off(graph, device)
    return found


def _unmeasured(wanted: Sequence[Candidate], calibration: Calibration, *, last_resort: bool) -> Candidate | None:
    """fp32 that there was no time for keeps any promise; where nothing else is left, so may fp32 that failed there."""
    tried = {each.candidate for each in calibration.measurements if not each.untried}
    return next((each for each in wanted if each.dtype == FP32 and (last_resort or each not in tried)), None)


def _too_far_off(graph: Graph, device: str) -> RuntimeFailedError:
    return RuntimeFailedError(
        msg(
            "{device} computes {model} wrongly, or not at all, in every arithmetic that it has.",
            device=device,
            model=graph.variant.name,
        ),
        msg("Leave out the device, or run `enlarger devices --test` to see what it does."),
    )


def _cannot_run(graph: Graph, device: str) -> RuntimeFailedError:
    remedy = msg("Leave out the device, or run `enlarger devices` to see what is here.")
    if graph.no_ncnn is None:
        return RuntimeFailedError(msg("{device} cannot run {model}.", device=device, model=graph.variant.name), remedy)
    what = msg("{device} cannot run {model}: {reason}.", device=device, model=graph.variant.name, reason=graph.no_ncnn)
    return RuntimeFailedError(what, remedy)


def recalibrate(graph: Graph, settings: Settings) -> Calibration:
    """Measure the graph's network anew on everything that is here, and remember it; raises RuntimeFailedError."""
    runtimes = known_runtimes(settings)
    candidates = _candidates(graph, AUTO, runtimes)
    with _calibrating, _alone(settings):
        trials = [(runtimes[candidate.runtime], candidate) for candidate in candidates]
        measured = calibrate(graph, trials, card=_card_name(graph), budget_s=_budget_s(candidates))
        calibration_store(settings, runtimes).put(measured)
    return measured


def calibrated(
    graph: Graph, candidates: Sequence[Candidate], *, settings: Settings, runtimes: Mapping[str, Runtime]
) -> Calibration:
    """What is remembered for the graph's network, or what is measured now."""
    store = calibration_store(settings, runtimes)
    with _calibrating:
        known = store.get(graph.variant.name)
        if known is not None and _holds(known, graph, candidates):
            return known
        with _alone(settings):
            known = store.get(graph.variant.name)  # another process may just have measured it
            if known is None or not _holds(known, graph, candidates):
                trials = [(runtimes[candidate.runtime], candidate) for candidate in candidates]
                known = calibrate(graph, trials, card=_card_name(graph), budget_s=_budget_s(candidates))
                store.put(known)
    return known


def _holds(known: Calibration, graph: Graph, candidates: Sequence[Candidate]) -> bool:
    """Whether it is of this network: what people add may come back as another under the same name."""
    same = known.digest == graph.digest or (not known.digest and _our_card(graph) != "")
    return same and known.covers(candidates)


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
    threads = settings.threads or allowed_cores()
    machine = Machine(cpu_name(), cpu_features(), threads, versions, cpu_limits())
    return CalibrationStore(settings.data_dir / FILE_NAME, machine)


def _budget_s(candidates: Sequence[Candidate]) -> float:
    """As much again for every device beside the CPU, whose programs have to be compiled first."""
    return BUDGET_S * len({"cpu", *(candidate.device for candidate in candidates)})


def _candidates(graph: Graph, device: str, runtimes: Mapping[str, Runtime]) -> list[Candidate]:
    return [
        Candidate.on(found, dtype)
        for found in find_devices(device, runtimes)
        if runtimes[found.runtime].supports(graph)
        for dtype in found.dtypes
    ]


def _card_name(graph: Graph) -> str:
    """The network's own name where it is in no card of ours."""
    return _our_card(graph) or graph.variant.name


def _our_card(graph: Graph) -> str:
    try:
        found = load_catalog().find(graph.variant.name)
    except UnknownModelError:
        return ""
    return found.card.name if isinstance(found, Choice) else found.name
