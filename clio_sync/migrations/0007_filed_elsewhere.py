from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from portal.append_only import append_only, guard


class Migration(migrations.Migration):
    dependencies = [("clio_sync", "0006_new_folders")]

    operations = [
        migrations.CreateModel(
            name="FiledElsewhere",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version_ref", models.UUIDField(db_index=True)),
                ("op_id", models.CharField(blank=True, max_length=40)),
                ("clio_document_id", models.BigIntegerField()),
                ("clio_version_uuid", models.CharField(max_length=60)),
                ("size", models.PositiveBigIntegerField()),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clio_sync.connection",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "filed elsewhere",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("clio_document_id", "clio_version_uuid", "version_ref"),
                        name="found_elsewhere_once",
                    )
                ],
            },
        ),
        append_only("clio_sync_filedelsewhere"),
        guard(
            name="delivery_filed_elsewhere",
            table="clio_sync_delivery",
            event="INSERT",
            refuse_when="""EXISTS (SELECT 1 FROM clio_sync_filedelsewhere e
                WHERE e.version_ref = NEW.version_ref)""",
            message="Clio already holds this version: it was filed before the backup was restored",
        ),
    ]
