"""The Celery application. A message only says "look now": the database row decides (docs/adr/0003)."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_init

from portal.broker import use_whole_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

use_whole_files()
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Tasks sent from a thread of the web server would otherwise meet a fresh default app aimed at amqp.
app.set_default()
app.autodiscover_tasks()


@worker_init.connect
def prove_keys(**signal: Any) -> None:
    """A worker with wrong keys ends with a sentence, before it takes a message."""
    from clio_sync import canary  # noqa: PLC0415 - it has models, which Celery loads after this module

    try:
        canary.prove()
    except canary.WrongKeys as wrong:
        sys.exit(str(wrong))  # an ordinary exception Celery would only log
