"""The first admin, or one more when nobody can sign in any longer."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from portal.accounts import invitations, people
from portal.accounts.models import Role
from portal.audit.log import Actor


class Command(BaseCommand):
    help = "Add an admin, and print the link with which they choose a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("full_name")

    def handle(self, *args: Any, email: str, full_name: str, **options: Any) -> None:
        operator = Actor.system("operator")
        try:
            validate_email(email)
            user = people.add_person(
                email, full_name=full_name, licence_number="", roles=[Role.ADMIN], by=None, actor=operator
            )
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        except people.EmailTaken as error:
            raise CommandError(str(error)) from None
        invitation = invitations.invite(user, actor=operator)
        self.stdout.write(invitation.link or f"A link to choose a password went to {email}.")
