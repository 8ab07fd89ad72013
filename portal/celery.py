"""The Celery application. A message only says "look now": the database row decides (docs/adr/0003)."""

from __future__ import annotations

import os

from celery import Celery

from portal.broker import use_whole_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

use_whole_files()
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Tasks sent from a thread of the web server would otherwise meet a fresh default app aimed at amqp.
app.set_default()
app.autodiscover_tasks()
