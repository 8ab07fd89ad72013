from __future__ import annotations

from django.db import migrations

from portal.append_only import append_only, guard

UNLIKE_ITS_APPROVAL = """NOT EXISTS (
    SELECT 1 FROM clio_sync_approval a
    WHERE a.id = NEW.approval_id AND a.version_ref = NEW.version_ref AND a.connection_id = NEW.connection_id
    AND (NEW.sha256_sent = '' OR NEW.sha256_sent = a.sha256)
    AND (NEW.size_confirmed IS NULL OR NEW.size_confirmed = a.size))"""

MESSAGE = "a delivery carries what its approval names, and nothing else"


class Migration(migrations.Migration):
    dependencies = [("clio_sync", "0001_initial")]

    operations = [
        append_only("clio_sync_approval"),
        guard(
            name="delivery_insert_matches",
            table="clio_sync_delivery",
            event="INSERT",
            refuse_when=UNLIKE_ITS_APPROVAL,
            message=MESSAGE,
        ),
        guard(
            name="delivery_update_matches",
            table="clio_sync_delivery",
            event="UPDATE",
            refuse_when=UNLIKE_ITS_APPROVAL,
            message=MESSAGE,
        ),
        guard(
            name="delivery_final_stays",
            table="clio_sync_delivery",
            event="UPDATE",
            refuse_when="OLD.state IN ('filed', 'withdrawn') AND OLD.state <> NEW.state",
            message="a filed or withdrawn delivery is final",
        ),
        guard(
            name="delivery_is_kept",
            table="clio_sync_delivery",
            event="DELETE",
            refuse_when="OLD.id IS NOT NULL",
            message="deliveries are never deleted",
        ),
    ]
