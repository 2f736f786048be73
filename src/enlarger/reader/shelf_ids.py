"""How books and roots are named outside: opaque, stable, and safe in a URL."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path

from enlarger.books import is_litter
from enlarger.errors import UnknownBookError
from enlarger.messages import msg

INCOMING = "incoming"
MOST_ID_CHARACTERS = 6000
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def printable(name: str) -> str:
    """The name as it can be shown and sent: bytes that are no UTF-8 become marks."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "replace")
    return name


def root_id_of(path: Path) -> str:
    """The name of a root that is not <storage>/incoming: of its absolute path alone, so that it outlives restarts."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]


def book_id_of(root_id: str, relative: str) -> str:
    """The id of what lies at this POSIX path below the root; "" is the root itself."""
    return base64.urlsafe_b64encode(os.fsencode(f"{root_id}:{relative}")).decode().rstrip("=")


def parse_book_id(book_id: str) -> tuple[str, str]:
    """The root's id and the POSIX path below it; UnknownBookError for all that `book_id_of` never made.

    The path is clean: it does not begin with "/", and no part of it is empty, "..", hidden or a system's litter.
    """
    if len(book_id) > MOST_ID_CHARACTERS or not _BASE64URL.fullmatch(book_id):
        raise unknown_book()
    try:
        text = os.fsdecode(base64.b64decode(book_id + "=" * (-len(book_id) % 4), altchars=b"-_", validate=True))
    except ValueError as error:  # no base64, or no UTF-8 where the system is strict about it
        raise unknown_book() from error
    root_id, colon, relative = text.partition(":")
    if not colon or not _is_clean(relative) or book_id_of(root_id, relative) != book_id:
        raise unknown_book()
    return root_id, relative


def unknown_book() -> UnknownBookError:
    """The error for a book that is not on the shelf."""
    return UnknownBookError(
        msg("There is no such book on the shelf."), msg("It may have been moved or deleted: look at the shelf again.")
    )


def _is_clean(relative: str) -> bool:
    if not relative:
        return True
    parts = relative.split("/")
    foreign = {"\\", ":"} if os.name == "nt" else set()  # there they would be separators, or name a drive
    return not (
        "\0" in relative
        or {"", ".", ".."} & set(parts)
        or is_litter(relative)
        or any(sign in relative for sign in foreign)
    )
