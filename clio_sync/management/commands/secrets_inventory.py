from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from clio_sync import inventory


class Command(BaseCommand):
    help = "List every place where a secret is kept, how it is kept, and how many there are."

    def handle(self, **options: Any) -> None:
        for place in inventory.places():
            self.stdout.write(f"{place.where:<46} {place.count:>6}  {place.how}")
