from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from portal.accounts import signals  # noqa: F401, PLC0415 - connects the receivers; needs the models
