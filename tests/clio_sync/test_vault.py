from __future__ import annotations

import base64
import io
import re
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from clio_sync import canary, inventory, keys, tokens, vault
from clio_sync.api.secret import Secret
from clio_sync.models import Connection, Delivery, DeliveryPart, KeyCanary
from clio_sync.vault import Binding, KeyMissing, Unsealable
from portal import settings as portal_settings
from portal.audit.models import Entry
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
    return manage("rotate_token_keys", **options)


def manage(command: str, *words: str, **options: bool) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out, stderr=io.StringIO(), **options)
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


# Retiring a key


def test_a_key_is_not_retired_while_it_seals_what_is_new(stored: Connection) -> None:
    with pytest.raises(CommandError, match="'k2' is the first key"):
        manage("retire_token_key", "k2")


@pytest.mark.parametrize("where", ["connection", "delivery", "deliverypart"])
def test_a_key_is_not_retired_while_anything_is_sealed_under_it(
    where: str, stored: Connection, cast: Cast, settings: LazySettings
) -> None:
    old = dict(settings.TOKEN_KEYS)
    if where != "connection":
        settings.TOKEN_KEYS = {"new": NEW_KEY, **old}
        rotate()
        settings.TOKEN_KEYS = old
        _announced(stored, cast, part=where == "deliverypart")
    settings.TOKEN_KEYS = {"new": NEW_KEY, **old}
    with pytest.raises(CommandError, match=rf"Still sealed under 'k2': \d in clio_sync_{where}\."):
        manage("retire_token_key", "k2")
    rotate()
    assert "Nothing is sealed under 'k2'" in manage("retire_token_key", "k2")
    told = list(Entry.objects.filter(event__startswith="token_keys").values_list("event", flat=True))
    assert told[-2:] == ["token_keys.resealed", "token_keys.retired"]


def _announced(link: Connection, cast: Cast, *, part: bool) -> None:
    draft = factories.draft(submitter=cast.carol, place=factories.destination(link))
    delivery = factories.approved(draft, by=cast.alice)
    if part:
        url = vault.seal("https://storage/1", binding=Binding.part_url(delivery.pk, number=1))
        DeliveryPart.objects.create(
            delivery=delivery, number=1, offset=0, length=1, sha256="0" * 64, md5="", put_url_sealed=url
        )
    else:
        url = vault.seal("https://storage", binding=Binding.put_url(delivery.pk))
        Delivery.objects.filter(pk=delivery.pk).update(put_url_sealed=url)


def test_resealing_leaves_alone_what_was_written_anew_meanwhile(
    stored: Connection, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKEN_KEYS = {"new": NEW_KEY, **settings.TOKEN_KEYS}
    newer = tokens.sealed(stored.pk, version=2, access=Secret("renewed"), refresh=Secret("renewed too"))
    current_key = vault.current_key

    def renewed_meanwhile() -> str:
        Connection.objects.filter(pk=stored.pk, token_version=1).update(token_version=2, **newer)
        return current_key()

    monkeypatch.setattr(vault, "current_key", renewed_meanwhile)
    keys.reseal()
    stored.refresh_from_db()
    assert tokens.access_of(stored) == Secret("renewed")


def test_a_long_run_tells_how_far_it_is(
    stored: Connection, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PROGRESS_EVERY", 1)
    settings.TOKEN_KEYS = {"new": NEW_KEY, **settings.TOKEN_KEYS}
    seen = []
    keys.reseal(tell=lambda so_far: seen.append(so_far.seen))
    assert seen == [1, 2]


# The canary


def test_the_first_start_leaves_a_canary_and_the_next_ones_ask_it(cast: Cast, settings: LazySettings) -> None:
    canary.prove()
    canary.prove()
    assert list(KeyCanary.objects.values_list("key_id", flat=True)) == ["k2"]
    settings.TOKEN_KEYS = {"k2": NEW_KEY}
    with pytest.raises(canary.WrongKeys, match="'k2' of TOKEN_KEYS is not the key of that name"):
        canary.prove()
    settings.TOKEN_KEYS = {"other": NEW_KEY}
    with pytest.raises(canary.WrongKeys, match="none of the keys that this database knows: k2"):
        canary.prove()
    assert KeyCanary.objects.count() == 1


def test_a_first_start_with_wrong_keys_over_stored_tokens_is_refused_too(
    stored: Connection, settings: LazySettings
) -> None:
    for wrong in ({"k2": NEW_KEY}, {"new": NEW_KEY}):
        settings.TOKEN_KEYS = wrong
        with pytest.raises(canary.WrongKeys, match=str(stored.pk)):
            canary.prove()
    assert not KeyCanary.objects.exists()


def test_a_key_taken_out_too_early_stops_the_start(stored: Connection, settings: LazySettings) -> None:
    old = dict(settings.TOKEN_KEYS)
    canary.prove()
    settings.TOKEN_KEYS = {"new": NEW_KEY, **old}
    canary.prove()
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    with pytest.raises(canary.WrongKeys, match="'k2', not in TOKEN_KEYS"):
        canary.prove()
    settings.TOKEN_KEYS = {"new": NEW_KEY, **old}
    rotate()
    manage("retire_token_key", "k2")
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    canary.prove()
    settings.TOKEN_KEYS = old  # the retired key is nobody's any more
    with pytest.raises(canary.WrongKeys, match="knows: new"):
        canary.prove()


def test_one_damaged_token_does_not_keep_the_portal_from_starting(stored: Connection) -> None:
    canary.prove()
    damaged = bytes(stored.access_sealed[:-1]) + b"?"
    Connection.objects.filter(pk=stored.pk).update(access_sealed=damaged)
    canary.prove()


def test_after_a_lost_key_was_given_up_the_portal_starts(stored: Connection, settings: LazySettings) -> None:
    canary.prove()
    settings.TOKEN_KEYS = {"new": NEW_KEY}
    rotate(forget_unreadable=True)
    canary.prove()
    assert list(KeyCanary.objects.values_list("key_id", flat=True)) == ["new"]


# The inventory


def test_every_sealed_field_of_every_model_is_resealed_and_listed() -> None:
    sealed = {
        f"{model._meta.db_table}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.endswith("_sealed")
    }
    assert {slot.name for slot in keys.SLOTS} == sealed


def test_every_secret_setting_is_listed(stored: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(portal_settings.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'envsecret\(\s*"([A-Z_]+)"', source))
    assert {"SECRET_KEY", "TOKEN_KEYS", "DATABASE_URL"} <= named
    assert named <= set(inventory.IN_SETTINGS)
    monkeypatch.setenv("CLIO_US_CLIENT_SECRET_FILE", "/run/secrets/us")
    listed = manage("secrets_inventory")
    assert re.search(r"clio_sync_connection.refresh_sealed +1 +AES-256-GCM.*1 under 'k2'", listed)
    assert re.search(r"setting CLIO_US_CLIENT_SECRET +1 +plain, in a file of its own", listed)
    assert "canary-" not in listed
    assert "MjIy" not in listed
