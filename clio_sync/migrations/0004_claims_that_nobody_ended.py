from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A nullable column: SQLite adds it in place, so that the table's triggers stay."""

    dependencies = [("clio_sync", "0003_send_large_files_in_parts")]

    operations = [
        migrations.AddField("delivery", "unended_claims", models.PositiveSmallIntegerField(null=True)),
    ]
