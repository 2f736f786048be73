"""Keep the Chinese catalogue in line with the sentences in the source.

`python -m scripts.messages` adds new sentences with an empty translation and drops those that are
gone; `--check` changes nothing, names what is wrong and exits 1.
"""

from __future__ import annotations

import argparse
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

_ROOT = Path(__file__).parent.parent
SOURCE = _ROOT / "src" / "enlarger"
CATALOGUE = SOURCE / "locale" / "zh" / "LC_MESSAGES" / "enlarger.po"


def extract(source: Path = SOURCE) -> Catalog:
    """Every template handed to `msg`, and the files that say it."""
    found = Catalog(project="Enlarger", charset="utf-8")
    rows = extract_from_dir(source, [("**.py", "python")], keywords={"msg": None})
    for name, _, template, _, _ in sorted(rows, key=lambda row: (row[0], row[1])):
        found.add(template, locations=[(f"src/enlarger/{name}", 0)])
    return found


def load(path: Path = CATALOGUE) -> Catalog:
    """The catalogue as it is, or an empty one."""
    if not path.exists():
        return Catalog(locale="zh", project="Enlarger", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="zh", abort_invalid=True)


def update(path: Path = CATALOGUE) -> int:
    """Bring the catalogue in line with the source; returns how many sentences await a translation."""
    catalogue = load(path)
    # a guessed translation would pass for a checked one: no fuzzy matching
    catalogue.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, ignore_obsolete=True, include_lineno=False, sort_output=True)
    return sum(1 for message in catalogue if message.id and not message.string)


def problems(wanted: Catalog, catalogue: Catalog) -> Iterator[str]:
    """What keeps the catalogue from being complete, one line each."""
    for message in wanted:
        if not message.id:
            continue  # the header
        entry = catalogue.get(message.id)
        if entry is None:
            yield f"missing: {message.id!r}"
        elif not entry.string:
            yield f"without a translation: {message.id!r}"
        elif entry.fuzzy:
            yield f"fuzzy: {message.id!r}"
        elif placeholders(str(entry.string)) != placeholders(str(message.id)):
            yield f"other {{facts}} than its template: {message.id!r}"
    known = {message.id for message in wanted}
    yield from (f"no longer said: {m.id!r}" for m in catalogue if m.id and m.id not in known)
    yield from (f"obsolete: {m.id!r}" for m in catalogue.obsolete.values())


def placeholders(template: str) -> set[str]:
    """The names of a template's `{facts}`."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 when the catalogue is not complete"
    )
    if not parser.parse_args().check:
        waiting = update()
        print(f"{CATALOGUE.relative_to(_ROOT)}: {waiting} sentences await a translation")
        return 0
    found = list(problems(extract(), load()))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{CATALOGUE.relative_to(_ROOT)}: {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
