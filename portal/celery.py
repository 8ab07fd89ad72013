"""The Celery application. A message only says "look now": the database row decides (docs/adr/0003)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Tasks sent from a thread of the web server would otherwise meet a fresh default app aimed at amqp.
app.set_default()
app.autodiscover_tasks()
