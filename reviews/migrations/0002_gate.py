from __future__ import annotations

from django.db import migrations

from portal.append_only import append_only, guard

NO_RIGHTFUL_YES = """NOT EXISTS (
    SELECT 1 FROM reviews_decision d
    JOIN reviews_version v ON v.id = d.version_id
    JOIN reviews_draft f ON f.id = v.draft_id
    JOIN accounts_rolegrant g ON g.user_id = d.reviewer_id AND g.role = 'reviewer'
    WHERE d.verdict = 'approve' AND d.reviewer_id = NEW.approved_by_id
    AND v.id = NEW.version_ref AND f.id = NEW.draft_ref AND f.latest_version_id = v.id
    AND d.sha256 = NEW.sha256 AND v.sha256 = NEW.sha256 AND v.size = NEW.size
    AND v.media_type = NEW.media_type
    AND d.reviewer_id <> v.made_by_id AND d.reviewer_id <> f.submitter_id)"""


class Migration(migrations.Migration):
    """No yes, no write: the database refuses an approval that no reviewer decided (docs/architecture.md)."""

    dependencies = [
        ("reviews", "0001_initial"),
        ("clio_sync", "0002_deliver_what_was_approved"),
    ]

    operations = [
        append_only("reviews_version"),
        append_only("reviews_decision"),
        guard(
            name="approval_needs_a_decision",
            table="clio_sync_approval",
            event="INSERT",
            refuse_when=NO_RIGHTFUL_YES,
            message="no approval without an approving decision of this version by a reviewer who did not make it",
        ),
    ]
