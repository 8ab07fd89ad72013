from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clio_sync import canary, keys, vault


class Command(BaseCommand):
    help = (
        "Seal every stored token under the first key of TOKEN_KEYS. "
        "Put the new key first, restart the portal, run this, then retire_token_key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument(
            "--forget-unreadable",
            action="store_true",
            help="for a lost key: drop what no key opens; those connections have to be reconnected",
        )

    def handle(self, *, dry_run: bool, forget_unreadable: bool, **options: Any) -> None:
        if forget_unreadable and not dry_run:
            self.stdout.write(f"{keys.forget_unreadable()} that no key opens were dropped.")
            canary.leave()
        result = keys.reseal(dry_run=dry_run, tell=self._tell)
        did = "would be sealed anew" if dry_run else "sealed anew"
        self.stdout.write(
            f"{result.done} {did} under the key {vault.current_key()!r}, {result.current} were already."
        )
        if result.unreadable:
            raise CommandError(
                f"{result.unreadable} cannot be opened with any key of TOKEN_KEYS. "
                "Put the old key back, or drop them with --forget-unreadable and reconnect."
            )

    def _tell(self, so_far: keys.Resealed) -> None:
        self.stderr.write(f"{so_far.seen} looked at, {so_far.done} under the first key now ...")
