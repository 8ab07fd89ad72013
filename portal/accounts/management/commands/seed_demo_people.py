"""People for a rehearsal, one or more for each role. Refuses to run beside real people."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.accounts.models import Role, RoleGrant, User

DOMAIN = "harrowquill.example"
PEOPLE: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("alice", "Alice Marchetti", "LSO 48211P", (Role.REVIEWER,)),
    ("bob", "Bob Adeyemi", "LSO 51877K", (Role.REVIEWER,)),
    ("carol", "Carol Whitfield", "", (Role.SUBMITTER,)),
    ("dana", "Dana Lindqvist", "", (Role.ADMIN,)),
    ("erin", "Erin Castellanos", "", (Role.COMPLIANCE,)),
)
PASSWORD = "rehearsal-only-2026"  # noqa: S105 - printed by `make run`, only ever for the demo people


class Command(BaseCommand):
    help = "Create the demo people (alice, bob, carol, dana, erin), once."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exclude(email__endswith=f"@{DOMAIN}").exists():
            raise CommandError("This portal has real people; demo people are not added beside them.")
        for name, full_name, licence, roles in PEOPLE:
            self._person(f"{name}@{DOMAIN}", full_name, licence, roles)

    def _person(self, email: str, full_name: str, licence: str, roles: tuple[Role, ...]) -> None:
        if User.objects.filter(email=email).exists():
            return
        user = User.objects.create_user(email, PASSWORD, full_name=full_name, licence_number=licence)
        RoleGrant.objects.bulk_create([RoleGrant(user=user, role=role) for role in roles])
        self.stdout.write(f"{email}  {', '.join(roles)}")
