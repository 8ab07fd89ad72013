from __future__ import annotations

from django.apps import AppConfig


class ClioSyncConfig(AppConfig):
    name = "clio_sync"
    verbose_name = "Clio"

    def ready(self) -> None:
        from clio_sync import canary, checks, regions  # noqa: F401, PLC0415 - registers their checks
