"""The firm's people: added, changed, given and losing roles, switched off and on. Never deleted.

Who acts is asked again here, under a lock on the admins: two admins taking each other's role away at the
same moment leave one of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from portal.accounts import keys
from portal.accounts.models import Role, RoleGrant, User
from portal.audit.events import Event
from portal.audit.log import Actor, Subject, record


class PeopleError(Exception):
    """A change that is refused; the message is the sentence the admin reads."""


class EmailTaken(PeopleError):
    """Somebody has this e-mail address already. Look for them among the people, also those switched off."""


class OwnAdminRole(PeopleError):
    """You cannot take away your own admin role, nor switch yourself off. Ask another admin."""


class ReasonMissing(PeopleError):
    """Say why the account is switched off; nothing was changed."""


class Unchanged(PeopleError):
    """That is how things stand already; nothing was changed."""


def add_person(
    email: str, *, full_name: str, licence_number: str, roles: Iterable[Role], by: User | None, actor: Actor
) -> User:
    """A person who cannot sign in before choosing a password (see invitations). `by` None is the operator."""
    roles = sorted(set(roles))
    try:
        with transaction.atomic():
            _ask_again(by)
            user = User.objects.create_user(email, None, full_name=full_name, licence_number=licence_number)
            _grant(user, roles, by=by)
            record(
                Event.PERSON_CREATED,
                actor=actor,
                subject=Subject("person", user.pk),
                texts={"email": user.email, "full_name": full_name},
                roles=[role.value for role in roles],
            )
    except IntegrityError:
        raise EmailTaken(EmailTaken.__doc__) from None
    return user


@transaction.atomic
def change_details(user: User, *, full_name: str, licence_number: str, by: User, actor: Actor) -> None:
    _ask_again(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    new = {"full_name": full_name, "licence_number": licence_number}
    changed = {name: value for name, value in new.items() if getattr(user, name) != value}
    if not changed:
        raise Unchanged(Unchanged.__doc__)
    User.objects.filter(pk=user.pk).update(**changed)
    record(
        Event.PERSON_CHANGED,
        actor=actor,
        subject=Subject("person", user.pk),
        texts=changed,
        fields=sorted(changed),
    )


@transaction.atomic
def change_roles(user: User, roles: Iterable[Role], *, by: User, actor: Actor) -> None:
    """Make `roles` the roles this person holds, with one entry for each that comes or goes."""
    _ask_again(by)
    wanted, held = set(roles), {Role(grant.role): grant for grant in user.grants.select_for_update()}
    if wanted == set(held):
        raise Unchanged(Unchanged.__doc__)
    if user == by and Role.ADMIN in held and Role.ADMIN not in wanted:
        raise OwnAdminRole(OwnAdminRole.__doc__)
    lost = [held[role] for role in sorted(set(held) - wanted)]
    gone = {grant.pk: grant.role for grant in lost}
    RoleGrant.objects.filter(pk__in=gone).delete()
    come = _grant(user, sorted(wanted - set(held)), by=by)
    for grant_id, role in gone.items():
        record(Event.ROLE_REVOKED, actor=actor, subject=Subject("person", user.pk), role=role, grant=grant_id)
    for grant in come:
        record(
            Event.ROLE_GRANTED,
            actor=actor,
            subject=Subject("person", user.pk),
            role=grant.role,
            grant=grant.pk,
        )


@transaction.atomic
def switch_off(user: User, *, reason: str, by: User, actor: Actor) -> None:
    """They are signed out at their next click, and their API keys stop for good."""
    _ask_again(by)
    if user == by:
        raise OwnAdminRole(OwnAdminRole.__doc__)
    if not reason.strip():
        raise ReasonMissing(ReasonMissing.__doc__)
    if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        raise Unchanged(Unchanged.__doc__)
    stopped = keys.revoke_all_of(user, actor=actor)
    record(
        Event.PERSON_DEACTIVATED,
        actor=actor,
        subject=Subject("person", user.pk),
        texts={"reason": reason},
        keys_revoked=stopped,
    )


@transaction.atomic
def switch_on(user: User, *, by: User, actor: Actor) -> None:
    """With the roles they had. Their API keys stay revoked."""
    _ask_again(by)
    if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
        raise Unchanged(Unchanged.__doc__)
    record(Event.PERSON_REACTIVATED, actor=actor, subject=Subject("person", user.pk))


def _ask_again(by: User | None) -> None:
    """Admins change people one at a time, and only while they are admins."""
    admins = User.objects.select_for_update().filter(
        is_active=True, pk__in=RoleGrant.objects.filter(role=Role.ADMIN).values("user_id")
    )
    if by is not None and by.pk not in {user.pk for user in admins.order_by("pk")}:
        raise PermissionDenied


def _grant(user: User, roles: Iterable[Role], *, by: User | None) -> list[RoleGrant]:
    grants = [RoleGrant(user=user, role=role, granted_by=by) for role in roles]
    return RoleGrant.objects.bulk_create(grants)
