from __future__ import annotations

import base64
import io
import uuid
from dataclasses import replace

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from clio_sync import keys, tokens, vault
from clio_sync.api.secret import Secret
from clio_sync.models import Connection
from clio_sync.vault import Binding, KeyMissing, Unsealable
from tests import factories
from tests.cast import Cast

ROW, OTHER_ROW = uuid.uuid4(), uuid.uuid4()
HERE = Binding.access(ROW, version=3)
PLAIN = Secret("canary-a81f-token")
NEW_KEY = b"n" * 32


def test_what_is_sealed_opens_where_it_belongs() -> None:
    assert vault.open_sealed(vault.seal(PLAIN, binding=HERE), binding=HERE) == PLAIN


def test_a_database_that_answers_with_a_memoryview_opens_as_well() -> None:
    assert vault.open_sealed(memoryview(vault.seal(PLAIN, binding=HERE)), binding=HERE) == PLAIN


@pytest.mark.parametrize(
    "elsewhere",
    [
        Binding.access(OTHER_ROW, version=3),
        Binding.refresh(ROW, version=3),
        Binding.access(ROW, version=2),
        Binding.access(ROW, version=4),
        Binding.put_url(ROW),
        replace(HERE, table="clio_sync_delivery"),
    ],
    ids=["row", "field", "older", "newer", "put_url", "table"],
)
def test_a_secret_moved_to_another_place_does_not_open(elsewhere: Binding) -> None:
    with pytest.raises(Unsealable):
        vault.open_sealed(vault.seal(PLAIN, binding=HERE), binding=elsewhere)


def test_no_bit_can_be_changed() -> None:
    sealed = vault.seal(PLAIN, binding=HERE)
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << (place % 8)
        with pytest.raises(Unsealable):
            vault.open_sealed(bytes(flipped), binding=HERE)


@pytest.mark.parametrize("length", [0, 1, 2, 5, 16, 30])
def test_no_byte_can_be_cut_off(length: int) -> None:
    with pytest.raises(Unsealable):
        vault.open_sealed(vault.seal(PLAIN, binding=HERE)[:length], binding=HERE)


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert vault.seal(PLAIN, binding=HERE) != vault.seal(PLAIN, binding=HERE)


def test_sealed_bytes_and_errors_tell_nothing_of_the_secret(settings: LazySettings) -> None:
    sealed = vault.seal(PLAIN, binding=HERE)
    assert PLAIN.reveal().encode() not in sealed
    with pytest.raises(Unsealable) as refused:
        vault.open_sealed(sealed, binding=Binding.refresh(ROW, version=3))
    assert "canary" not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_the_first_key_seals_and_the_others_open(settings: LazySettings) -> None:
    old = vault.seal(PLAIN, binding=HERE)
    settings.TOKEN_KEYS = {"new": NEW_KEY, **settings.TOKEN_KEYS}
    assert vault.sealed_under(vault.seal(PLAIN, binding=HERE)) == "new"
    assert vault.open_sealed(old, binding=HERE) == PLAIN


def test_a_key_that_is_gone_is_named(settings: LazySettings) -> None:
    sealed = vault.seal(PLAIN, binding=HERE)
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    with pytest.raises(KeyMissing, match="'k2'"):
        vault.open_sealed(sealed, binding=HERE)


@pytest.fixture
def stored(cast: Cast) -> Connection:
    link = factories.connection(connected_by=cast.dana, token_version=1)
    sealed = tokens.sealed(link.pk, version=1, access=PLAIN, refresh=Secret("canary-b92c-token"))
    Connection.objects.filter(pk=link.pk).update(**sealed)
    link.refresh_from_db()
    return link


def rotate(**options: bool) -> str:
    out = io.StringIO()
    call_command("rotate_token_keys", stdout=out, **options)
    return out.getvalue()


def test_rotating_makes_the_old_key_needless(stored: Connection, settings: LazySettings) -> None:
    settings.TOKEN_KEYS = {"new": NEW_KEY, **settings.TOKEN_KEYS}
    assert "2 sealed anew under the key 'new'" in rotate()
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    stored.refresh_from_db()
    assert tokens.access_of(stored) == PLAIN
    assert "0 sealed anew under the key 'new', 2 were already" in rotate()


def test_a_dry_run_changes_nothing(stored: Connection, settings: LazySettings) -> None:
    before = bytes(stored.access_sealed)
    settings.TOKEN_KEYS = {"new": NEW_KEY, **settings.TOKEN_KEYS}
    assert "2 would be sealed anew" in rotate(dry_run=True)
    stored.refresh_from_db()
    assert bytes(stored.access_sealed) == before


def test_rotating_says_what_it_cannot_open_and_leaves_it(stored: Connection, settings: LazySettings) -> None:
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    with pytest.raises(CommandError, match="2 cannot be opened"):
        rotate()
    settings.TOKEN_KEYS = {"k2": base64.b64decode("MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI=")}
    stored.refresh_from_db()
    assert tokens.access_of(stored) == PLAIN


def test_what_a_lost_key_sealed_can_be_dropped_and_the_connection_needs_reconnecting(
    stored: Connection, settings: LazySettings
) -> None:
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    assert "2 that no key opens were dropped" in rotate(forget_unreadable=True)
    stored.refresh_from_db()
    assert stored.status == Connection.Status.NEEDS_RECONNECTING
    assert bytes(stored.access_sealed) == b""
    assert not keys.trouble()


def test_the_database_check_notices_a_wrong_key(stored: Connection, settings: LazySettings) -> None:
    assert not run_checks(tags=["database"], databases=["default"])
    settings.TOKEN_KEYS = {"k2": NEW_KEY}
    (found,) = run_checks(tags=["database"], databases=["default"])
    assert found.id == "clio_sync.E002"
    assert str(stored.pk) in found.msg
    assert keys.trouble()
    assert not run_checks(tags=["database"])  # a check without a database asks none


def test_tokens_swapped_between_two_rows_do_not_open(stored: Connection, cast: Cast) -> None:
    other = factories.connection(connected_by=cast.dana, clio_user_id=7, token_version=1)
    Connection.objects.filter(pk=other.pk).update(
        access_sealed=stored.access_sealed, refresh_sealed=stored.refresh_sealed
    )
    other.refresh_from_db()
    assert "cannot be opened" in keys.trouble()
    assert str(other.pk) in keys.trouble()
