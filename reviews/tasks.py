"""Celery's doors of the reviews: short, and safe to run twice."""

from __future__ import annotations

from celery import shared_task

from reviews import outcomes


@shared_task
def tell_outcomes() -> None:
    """Hear from the deliveries what became of approved drafts, and tell their submitters."""
    outcomes.hear()
