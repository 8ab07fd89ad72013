from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.accounts.tasks import clear_expired_sessions
from portal.celery import app


@pytest.mark.django_db
def test_sessions_that_ended_are_forgotten_and_live_ones_kept() -> None:
    now = timezone.now()
    Session.objects.create(session_key="ended", session_data="", expire_date=now - timedelta(hours=1))
    Session.objects.create(session_key="live", session_data="", expire_date=now + timedelta(hours=1))
    clear_expired_sessions()
    assert [session.session_key for session in Session.objects.all()] == ["live"]


def test_every_task_that_beat_rings_for_exists() -> None:
    app.loader.import_default_modules()
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rung <= set(app.tasks)
