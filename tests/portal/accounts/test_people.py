from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from portal.accounts import keys, people
from portal.accounts.models import ApiKey, Role, RoleGrant, User
from portal.audit.events import Event
from portal.audit.log import Actor
from portal.audit.models import Entry, TextSecret
from tests.cast import Cast


def events() -> list[str]:
    return list(Entry.objects.order_by("seq").values_list("event", flat=True))


def add(cast: Cast, email: str = "gina@firm.example", *roles: Role) -> User:
    return people.add_person(
        email,
        full_name="Gina Haspel-Moor",
        licence_number="LSO 1",
        roles=roles,
        by=cast.dana,
        actor=Actor.user(cast.dana),
    )


def roles(cast: Cast, user: User, *wanted: Role, by: User | None = None) -> None:
    admin = by or cast.dana
    people.change_roles(user, wanted, by=admin, actor=Actor.user(admin))


def now(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_new_person_cannot_sign_in_before_choosing_a_password(cast: Cast) -> None:
    gina = add(cast, "Gina@Firm.example", Role.REVIEWER, Role.COMPLIANCE)
    assert gina.email == "gina@firm.example"
    assert not gina.has_usable_password()
    assert now(gina).roles == {Role.REVIEWER, Role.COMPLIANCE}
    assert events() == [Event.PERSON_CREATED]


def test_the_log_entry_of_a_new_person_holds_no_name(cast: Cast) -> None:
    add(cast)
    assert b"Gina" not in Entry.objects.get().exact_bytes
    assert set(TextSecret.objects.values_list("field", flat=True)) == {"email", "full_name"}


def test_an_address_is_used_once_whatever_its_case(cast: Cast) -> None:
    add(cast)
    with pytest.raises(people.EmailTaken):
        add(cast, "GINA@firm.example")
    assert User.objects.filter(email__icontains="gina").count() == 1
    assert events() == [Event.PERSON_CREATED]


def test_roles_come_and_go_with_an_entry_each(cast: Cast) -> None:
    roles(cast, cast.carol, Role.REVIEWER, Role.COMPLIANCE)
    assert now(cast.carol).roles == {Role.REVIEWER, Role.COMPLIANCE}
    assert events() == [Event.ROLE_REVOKED, Event.ROLE_GRANTED, Event.ROLE_GRANTED]
    assert set(RoleGrant.objects.filter(user=cast.carol).values_list("granted_by", flat=True)) == {
        cast.dana.pk
    }


def test_the_same_roles_are_no_change(cast: Cast) -> None:
    with pytest.raises(people.Unchanged):
        roles(cast, cast.carol, Role.SUBMITTER)
    assert events() == []


def test_an_admin_keeps_the_own_admin_role(cast: Cast) -> None:
    with pytest.raises(people.OwnAdminRole):
        roles(cast, cast.dana, Role.REVIEWER)
    assert now(cast.dana).roles == {Role.ADMIN}
    roles(cast, cast.dana, Role.ADMIN, Role.REVIEWER)
    assert now(cast.dana).roles == {Role.ADMIN, Role.REVIEWER}


def test_of_two_admins_who_remove_each_other_one_stays(cast: Cast) -> None:
    roles(cast, cast.alice, Role.ADMIN)
    roles(cast, cast.dana, Role.REVIEWER, by=cast.alice)
    with pytest.raises(PermissionDenied):
        roles(cast, cast.alice, Role.REVIEWER, by=cast.dana)
    assert now(cast.alice).roles == {Role.ADMIN}


@pytest.mark.parametrize("name", ["alice", "carol", "erin", "mallory"])
def test_only_an_admin_changes_people(cast: Cast, name: str) -> None:
    stranger: User = getattr(cast, name)
    actor = Actor.user(stranger)
    with pytest.raises(PermissionDenied):
        people.change_roles(cast.bob, [Role.ADMIN], by=stranger, actor=actor)
    with pytest.raises(PermissionDenied):
        people.switch_off(cast.bob, reason="spite", by=stranger, actor=actor)
    with pytest.raises(PermissionDenied):
        people.add_person(
            "x@firm.example", full_name="X", licence_number="", roles=[], by=stranger, actor=actor
        )
    assert events() == []
    assert now(cast.bob).roles == {Role.REVIEWER}


def test_switching_off_revokes_the_keys_and_says_why(cast: Cast) -> None:
    _, token = keys.issue("Drafter", owner=cast.carol, by=cast.dana, actor=Actor.user(cast.dana))
    people.switch_off(cast.carol, reason="Left the firm.", by=cast.dana, actor=Actor.user(cast.dana))
    assert not now(cast.carol).is_active
    assert ApiKey.from_token(token) is None
    assert events() == [Event.API_KEY_CREATED, Event.API_KEY_REVOKED, Event.PERSON_DEACTIVATED]


def test_switching_off_needs_a_reason(cast: Cast) -> None:
    with pytest.raises(people.ReasonMissing):
        people.switch_off(cast.carol, reason="  ", by=cast.dana, actor=Actor.user(cast.dana))
    assert now(cast.carol).is_active


def test_nobody_switches_themselves_off(cast: Cast) -> None:
    with pytest.raises(people.OwnAdminRole):
        people.switch_off(cast.dana, reason="tired", by=cast.dana, actor=Actor.user(cast.dana))
    assert now(cast.dana).is_active


def test_switched_on_again_the_roles_are_back_and_the_keys_are_not(cast: Cast) -> None:
    actor = Actor.user(cast.dana)
    _, token = keys.issue("Drafter", owner=cast.carol, by=cast.dana, actor=actor)
    people.switch_off(cast.carol, reason="Leave.", by=cast.dana, actor=actor)
    people.switch_on(cast.carol, by=cast.dana, actor=actor)
    assert now(cast.carol).is_active
    assert now(cast.carol).roles == {Role.SUBMITTER}
    assert ApiKey.from_token(token) is None
    with pytest.raises(people.Unchanged):
        people.switch_on(cast.carol, by=cast.dana, actor=actor)


def test_changed_details_name_the_fields_in_the_log(cast: Cast) -> None:
    people.change_details(
        cast.alice, full_name="Alice", licence_number="LSO 9", by=cast.dana, actor=Actor.user(cast.dana)
    )
    assert now(cast.alice).licence_number == "LSO 9"
    assert b'"fields":["licence_number"]' in Entry.objects.get().exact_bytes


def test_a_key_is_revoked_once(cast: Cast) -> None:
    actor = Actor.user(cast.dana)
    key, token = keys.issue("Drafter", owner=cast.carol, by=cast.dana, actor=actor)
    assert ApiKey.from_token(token) == key
    assert keys.revoke(key, actor=actor)
    assert not keys.revoke(key, actor=actor)
    assert events() == [Event.API_KEY_CREATED, Event.API_KEY_REVOKED]
    assert token.encode() not in b"".join(entry.exact_bytes for entry in Entry.objects.all())
