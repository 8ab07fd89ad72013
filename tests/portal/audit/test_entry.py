from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.audit.entry import MAX_BYTES, NotCanonical, canonical, commitment, entry_hash, leaf_hash, parse

keys = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
lists = st.lists(scalars, max_size=5)
inner = st.dictionaries(
    keys, scalars | lists | st.dictionaries(keys, scalars | lists, max_size=3), max_size=4
)
objects = st.dictionaries(keys, scalars | lists | inner, max_size=5)


def rfc8785(value: Any) -> str:
    """RFC 8785 written down a second time, for our schema, without the json module's encoder."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{rfc8785(name)}:{rfc8785(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(rfc8785, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


@given(objects)
def test_what_is_written_reads_back_and_is_rfc_8785(value: dict[str, Any]) -> None:
    body = canonical(value)
    assert body.decode() == rfc8785(value)
    assert parse(body) == value
    assert canonical(parse(body)) == body


@given(objects, st.randoms())
def test_the_order_of_the_names_does_not_matter(value: dict[str, Any], random: Any) -> None:
    names = list(value)
    random.shuffle(names)
    assert canonical({name: value[name] for name in names}) == canonical(value)


@given(st.binary(max_size=300))
def test_reading_any_bytes_ends_in_an_entry_or_in_a_refusal(body: bytes) -> None:
    try:
        value = parse(body)
    except NotCanonical:
        return
    assert canonical(value) == body


@given(objects.filter(bool), st.data())
def test_one_changed_bit_is_another_entry_or_none(value: dict[str, Any], data: st.DataObject) -> None:
    body = canonical(value)
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    assert entry_hash(bytes(flipped)) != entry_hash(body)
    try:
        assert parse(bytes(flipped)) != value
    except NotCanonical:
        return


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.0},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": "\ud800"},
        {"a": "line\nbreak"},
        {"a": "nul\x00"},
        {"a": b"bytes"},
        {"a": object()},
        {"A": 1},
        {"ä": 1},
        {"": 1},
        {1: "a"},
        {"a": [[[[[[[1]]]]]]]},
        {"a": "x" * MAX_BYTES},
    ],
)
def test_what_two_programs_might_write_differently_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b'{"a":1}\n',
        b' {"a":1}',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":"\\u00e4"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740992}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 8000,
        b'{"a":"' + b"x" * MAX_BYTES + b'"}',
    ],
)
def test_bytes_in_any_other_form_are_refused(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(body)


def test_the_hashes_are_the_published_ones() -> None:
    body = b'{"a":1}'
    assert entry_hash(body) == hashlib.sha256(body).digest()
    assert leaf_hash(body) == hashlib.sha256(b"\0" + body).digest()
    # RFC 6962, section 2.1.3: the leaf of the empty string, as certificate-transparency test vectors give it
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_a_commitment_needs_the_salt_and_the_very_text() -> None:
    sealed = commitment(b"s" * 32, "Straße")
    assert sealed != commitment(b"t" * 32, "Straße")
    assert sealed != commitment(b"s" * 32, "Strasse")
    assert json.dumps(sealed) == f'"{sealed}"'
