from __future__ import annotations

from django.apps import AppConfig


class ClioSyncConfig(AppConfig):
    name = "clio_sync"
    verbose_name = "Clio"
