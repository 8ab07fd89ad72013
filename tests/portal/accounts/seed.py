"""People and keys to look at (`python -m tests.screens --seed tests.portal.accounts.seed:office`)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.accounts.models import ApiKey, User
from tests.cast import person


def office() -> None:
    carol = User.objects.get(email="carol@firm.example")
    dana = User.objects.get(email="dana@firm.example")
    key, _ = ApiKey.issue(name="Drafting assistant, litigation team", owner=carol, by=dana)
    key.last_used_at = timezone.now() - timedelta(minutes=12)
    key.save()
    ApiKey.issue(name="Engagement letters", owner=carol, by=dana)
    old, _ = ApiKey.issue(name="Trial run", owner=carol, by=dana)
    old.revoked_at = timezone.now()
    old.save()
    User.objects.filter(pk=carol.pk).update(last_login=timezone.now() - timedelta(hours=3))
    left = person("frank")
    left.is_active = False
    left.save()
