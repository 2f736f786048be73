"""Take a person's own model: recognise its file, read what it asks of a tile, and keep it with a card of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from enlarger.errors import FetchError, RecipeError, UnknownModelError
from enlarger.messages import msg
from enlarger.models.card import Card, Variant, WeightFile
from enlarger.models.catalog import Choice, load_catalog
from enlarger.models.cugan_import import Cugan, recognise_layers
from enlarger.models.fetch import adopt, check_readable, copy_file
from enlarger.models.geometry import Geometry, measure
from enlarger.models.importing import STATE_READERS, import_ncnn_files, read_layers
from enlarger.models.onnx_import import import_onnx
from enlarger.models.own_cards import OWN_FOLDER, card_folder, is_card_name, save_card
from enlarger.models.pytorch_import import Architecture, Rrdb, Srvgg, import_pytorch, recognise
from enlarger.models.refusal import not_added
from enlarger.models.sources import file_sha256
from enlarger.models.torch7_import import read_torch7
from enlarger.models.waifu2x_import import Waifu2x, import_waifu2x, recognise_chain
from enlarger.settings import Settings
from enlarger.storage import one_at_a_time

SUFFIXES = (*STATE_READERS, ".json", ".onnx", ".param")
_KEPT_AS = {".pt": ".pth", ".ckpt": ".pth"}
_NOT_STATED = "LicenseRef-unknown"


@dataclass(frozen=True)
class Found:
    """A file that was recognised: `network` in its authors' words; what follows `geometry` as the variant's."""

    network: str
    paths: tuple[Path, ...]
    geometry: Geometry
    enlarged: bool = False
    shared_poolings: int = 0
    residual: bool = False


def add_model(file: Path, settings: Settings, *, name: str = "", scale: int | None = None) -> Card:
    """The card under which the file is a model from now on, durable on return; all that use the folder see it soon.

    name: the card's, else made from the file's; that of a model whose file people bring gives it its file. scale: for
    networks of waifu2x that keep size, 2 where they are to be given the enlarged picture, 1 where they take noise out.
    The same file under the same name again changes nothing. Raises FetchError when it is no file, WeightsRefusedError
    when it is hostile, broken or unknown, RecipeError about name or scale, StorageError.
    """
    check_readable(file)
    if (awaiting := _awaiting(name)) is not None:
        adopt(file, awaiting.variant if isinstance(awaiting, Choice) else awaiting, settings)
        return awaiting.card if isinstance(awaiting, Choice) else awaiting
    card_name = _card_name(file, name)
    with not_added():
        found = examine(file, scale=scale)
    with one_at_a_time(card_folder(card_name, settings)):
        card = _card(card_name, file, found)
        if _is_kept(card, settings):
            return card
        for path, kept in zip(found.paths, card.variants[0].files, strict=True):
            copy_file(path, card_folder(card_name, settings) / kept.name)
        save_card(card, settings)
    return card


def examine(file: Path, *, scale: int | None = None) -> Found:
    """What the file holds; raises WeightsRefusedError, RecipeError."""
    suffix = file.suffix.lower()
    if suffix in (".param", ".bin"):
        return _examine_ncnn(file)
    if suffix == ".onnx":
        return Found("ONNX", (file,), measure(import_onnx(file), name=str(file)))
    if suffix == ".json":
        return _examine_network(file, recognise_chain(read_torch7(file), name=str(file)), scale)
    if suffix not in STATE_READERS:
        raise FetchError(
            msg("{file}: this kind of file holds no model that Enlarger knows.", file=file),
            msg("Hand in one of: {usable}.", usable=", ".join(SUFFIXES)),
        )
    state = STATE_READERS[suffix](file)
    network = recognise(state, name=str(file))
    if isinstance(network, Waifu2x):
        return _examine_network(file, network, scale)
    onnx = import_pytorch(state, name=str(file))
    if isinstance(network, Cugan):
        return _found_cugan(network, (file,), onnx)
    return Found(_title(network), (file,), measure(onnx, name=str(file)))


def _examine_ncnn(file: Path) -> Found:
    paths = (file.with_suffix(".param"), file.with_suffix(".bin"))
    for path in paths:
        check_readable(path)
    cugan = recognise_layers(read_layers(paths[0]))
    if cugan is None:
        onnx, _ = import_ncnn_files(paths)
        return Found("ncnn", paths, measure(onnx, name=str(file)))
    network, residual = cugan
    onnx, _ = import_ncnn_files(paths, scale=network.scale, border=network.border, residual=residual)
    return replace(_found_cugan(network, paths, onnx), residual=residual)


def _found_cugan(network: Cugan, paths: tuple[Path, ...], onnx: bytes) -> Found:
    geometry = measure(onnx, name=str(paths[0]))
    valid = replace(geometry, halo=geometry.border)  # all convolutions are, though the graph of a transposed one is not
    return Found(network.title, paths, valid, shared_poolings=network.shared_poolings)


def _examine_network(file: Path, network: Waifu2x, scale: int | None) -> Found:
    keeps_size = network.scale == 1 and network.title != "CUNet"  # its two forms differ
    if keeps_size and scale is None:
        raise RecipeError(
            msg("{file}: its weights do not tell whether {network} enlarges.", file=file, network=network.title),
            msg("Give --scale 2 if it was trained to enlarge, --scale 1 if it only takes noise out."),
        )
    enlarged = keeps_size and scale == 2
    geometry = measure(import_waifu2x(network, enlarged=enlarged), name=str(file))
    return Found(f"waifu2x {network.title}", (file,), geometry, enlarged)


def _title(network: Architecture) -> str:
    match network:
        case Srvgg():
            return f"SRVGGNetCompact, {network.convs} × {network.features}"
        case Rrdb():
            return f"RRDBNet, {network.blocks} × {network.features}"
    return network.title


def _awaiting(name: str) -> Card | Choice | None:
    """The model of Enlarger's own that waits for a file, if that is meant."""
    try:
        found = load_catalog().find(name) if name else None
    except UnknownModelError:
        return None
    card = found.card if isinstance(found, Choice) else found
    return found if card is not None and not card.fetchable else None


def _card_name(file: Path, name: str) -> str:
    wanted = name or re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._")
    if not is_card_name(wanted):
        raise RecipeError(
            msg("“{name}” cannot be a model's name.", name=wanted),
            msg("Give --name with small letters, digits, dots, hyphens and underscores, at most 64."),
        )
    try:
        load_catalog().find(wanted)
    except UnknownModelError:
        return wanted
    raise RecipeError(
        msg("“{name}” is a model of Enlarger's own.", name=wanted),
        msg(
            "Give another --name; or hand its file in: enlarger models pull {name} --from {file}",
            name=wanted,
            file=file,
        ),
    )


def _card(name: str, file: Path, found: Found) -> Card:
    geometry = found.geometry
    kept = [(path, f"weights{_KEPT_AS.get(path.suffix.lower(), path.suffix.lower())}") for path in found.paths]
    variant = Variant(
        f"MODEL_OWN_{name.upper()}_UP{geometry.scale}X",
        geometry.scale,
        None,
        geometry.halo,
        files=tuple(WeightFile(kept_as, path.stat().st_size, file_sha256(path)) for path, kept_as in kept),
        border=geometry.border,
        multiple=geometry.multiple,
        local=geometry.local,
        shared_poolings=found.shared_poolings,
        residual=found.residual,
        enlarged=found.enlarged,
        folder=f"{OWN_FOLDER}/{name}",
    )
    return Card(name, {"en": file.stem, "zh": file.stem}, "any", _NOT_STATED, file.name, found.network, (), (variant,))


def _is_kept(card: Card, settings: Settings) -> bool:
    """Whether it is there already; another one of its name is not replaced."""
    kept = next((each for each in load_catalog(settings).cards if each.name == card.name), None)
    if kept is None:
        return False
    if replace(kept, title=card.title, origin=card.origin) == card:
        return True
    raise RecipeError(
        msg("There is a model “{name}” already.", name=card.name),
        msg("Give another --name, or remove it first: enlarger models remove {name}", name=card.name),
    )
