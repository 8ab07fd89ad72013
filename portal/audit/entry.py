"""The bytes of an entry: how they are written, read back and hashed.

What the log commits to is these bytes and nothing else; every column shown beside them is computed from them.
They are JSON in the one form RFC 8785 allows for our narrow schema (objects with plain ASCII keys, lists,
strings, true, false, null, whole numbers below 2**53; no fractions), so another program can rebuild them.
No Django in here: the same functions serve the writer, the verifier and anyone who reads an export.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

SCHEMA = 1
MAX_BYTES = 8192
MAX_WHOLE = 2**53 - 1
MAX_DEPTH = 6

# What the first entry names as its predecessor.
NOTHING_BEFORE = bytes(32)

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
# The database's JSON cannot hold NUL, and no fact of ours has a use for the other control characters.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class NotCanonical(ValueError):
    """These bytes are not an entry in the one form the log allows."""


def canonical(value: dict[str, Any]) -> bytes:
    """The bytes of `value`; raises NotCanonical for anything two programs might write differently."""
    _check(value, depth=0)
    body = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    if len(body) > MAX_BYTES:
        raise NotCanonical(f"an entry has at most {MAX_BYTES} bytes; this one has {len(body)}")
    return body


def parse(body: bytes) -> dict[str, Any]:
    """Read an entry back; raises NotCanonical unless writing it again gives exactly these bytes."""
    if len(body) > MAX_BYTES:
        raise NotCanonical(f"an entry has at most {MAX_BYTES} bytes; this one has {len(body)}")
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse
        )
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("the bytes are not plain JSON") from error
    if not isinstance(value, dict):
        raise NotCanonical("an entry is a JSON object")
    if canonical(value) != body:
        raise NotCanonical("the bytes are JSON, but not in the form the log writes")
    return value


def entry_hash(body: bytes) -> bytes:
    """What the next entry names as `prev`."""
    return hashlib.sha256(body).digest()


def leaf_hash(body: bytes) -> bytes:
    """The entry as a leaf of an RFC 6962 tree; the prefix keeps a leaf from passing as an inner node."""
    return hashlib.sha256(b"\x00" + body).digest()


def commitment(salt: bytes, text: str) -> str:
    """A hash that fixes `text` without telling it; whoever has the salt can show that they match."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def _check(value: object, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"an entry nests at most {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        _check_whole(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_key(key)
            _check(inner, depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check(inner, depth=depth + 1)
    else:
        raise NotCanonical(f"an entry cannot hold a {type(value).__name__}")


def _check_text(value: str) -> None:
    if _FORBIDDEN.search(value):
        raise NotCanonical("a text in an entry holds a control character or half of a surrogate pair")


def _check_whole(value: int) -> None:
    if abs(value) > MAX_WHOLE:
        raise NotCanonical("a number in an entry stays below 2**53; write longer ones as text")


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise NotCanonical(f"{key!r} is not a name an entry can use: lower-case letters, digits, underscores")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotCanonical("a name appears twice in one object")
    return value


def _refuse(number: str) -> Any:
    raise NotCanonical(f"an entry holds whole numbers only, not {number[:20]}")
