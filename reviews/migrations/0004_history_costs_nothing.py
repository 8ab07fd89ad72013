from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

from portal.append_only import guard, unguard

# As before, but found by its version: `+` keeps the databases from walking through all that the reviewer ever
# decided, which is what SQLite does for want of statistics.
NO_RIGHTFUL_YES = """NOT EXISTS (
    SELECT 1 FROM reviews_decision d
    JOIN reviews_version v ON v.id = d.version_id
    JOIN reviews_draft f ON f.id = v.draft_id
    JOIN accounts_rolegrant g ON g.user_id = +d.reviewer_id AND g.role = 'reviewer'
    WHERE d.verdict = 'approve' AND +d.reviewer_id = NEW.approved_by_id
    AND v.id = NEW.version_ref AND f.id = NEW.draft_ref AND f.latest_version_id = v.id
    AND d.sha256 = NEW.sha256 AND v.sha256 = NEW.sha256 AND v.size = NEW.size
    AND v.media_type = NEW.media_type
    AND d.reviewer_id <> v.made_by_id AND d.reviewer_id <> f.submitter_id)"""


class Migration(migrations.Migration):
    """Partial indexes over what nobody was told yet, and an order for what is shown latest first."""

    dependencies = [("reviews", "0003_naming_rule")]

    operations = [
        unguard(name="approval_needs_a_decision", table="clio_sync_approval"),
        guard(
            name="approval_needs_a_decision",
            table="clio_sync_approval",
            event="INSERT",
            refuse_when=NO_RIGHTFUL_YES,
            message="no approval without an approving decision of this version by a reviewer who did not make it",
        ),
        migrations.RemoveIndex(model_name="draft", name="draft_untold"),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(
                fields=["status", "changed_at"], name="draft_untold", condition=Q(outcome_told_at=None)
            ),
        ),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(fields=["status", "changed_at", "id"], name="draft_latest"),
        ),
    ]
