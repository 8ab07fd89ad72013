"""The standing cast. Every page meets mallory, who may sign in and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from portal.accounts.models import Role, RoleGrant, User

PASSWORD = "correct horse battery staple"


def person(name: str, *roles: Role) -> User:
    """A saved person `name@firm.example` with these roles."""
    user = User.objects.create_user(f"{name}@firm.example", PASSWORD, full_name=name.capitalize())
    RoleGrant.objects.bulk_create([RoleGrant(user=user, role=role) for role in roles])
    return user


@dataclass
class Cast:
    """alice and bob review, carol submits, dana administers, erin reads the log, mallory is a stranger."""

    @cached_property
    def alice(self) -> User:
        return person("alice", Role.REVIEWER)

    @cached_property
    def bob(self) -> User:
        return person("bob", Role.REVIEWER)

    @cached_property
    def carol(self) -> User:
        return person("carol", Role.SUBMITTER)

    @cached_property
    def dana(self) -> User:
        return person("dana", Role.ADMIN)

    @cached_property
    def erin(self) -> User:
        return person("erin", Role.COMPLIANCE)

    @cached_property
    def mallory(self) -> User:
        return person("mallory")
