from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clio_sync import keys


class Command(BaseCommand):
    help = "Make sure that nothing is sealed under an old key, before it is taken out of TOKEN_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="the id of the key, as it stands before the colon in TOKEN_KEYS")

    def handle(self, *, key: str, **options: Any) -> None:
        try:
            keys.retire(key)
        except keys.KeyInUse as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Nothing is sealed under {key!r} any more. Take it out of TOKEN_KEYS and restart the portal."
        )
