from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from portal.append_only import guard

DONE_UNLIKE_ITS_STATE = "(NEW.state IN ('filed', 'withdrawn')) <> (NEW.done_at IS NOT NULL)"

MESSAGE = "a delivery has a time of its end exactly when it has ended"

MOVING = ~Q(hold="person") & ~Q(hold="connection")
STUCK = Q(hold="person") | Q(hold="connection")


class Migration(migrations.Migration):
    """Partial indexes over what has not ended, so that sweeping and claiming never read history."""

    dependencies = [("clio_sync", "0008_keep_a_canary_of_each_key")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_due"),
        migrations.RemoveIndex(model_name="delivery", name="delivery_hold"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["connection", "not_before"], name="delivery_due", condition=Q(done_at=None) & MOVING
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["hold", "connection"], name="delivery_hold", condition=Q(done_at=None)
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["created_at", "id", "connection", "hold", "problem"],
                name="delivery_stuck",
                condition=Q(done_at=None) & STUCK,
            ),
        ),
        guard(
            name="delivery_insert_ends",
            table="clio_sync_delivery",
            event="INSERT",
            refuse_when=DONE_UNLIKE_ITS_STATE,
            message=MESSAGE,
        ),
        guard(
            name="delivery_update_ends",
            table="clio_sync_delivery",
            event="UPDATE",
            refuse_when=DONE_UNLIKE_ITS_STATE,
            message=MESSAGE,
        ),
    ]
