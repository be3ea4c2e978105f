"""Lists as somebody saved them."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import restartix.kernel.clock
import restartix.kernel.rows
import restartix.kernel.tenancy
from restartix.kernel.protection import tenant_table


class Migration(migrations.Migration):

    dependencies = [("organizations", "0006_pictures")]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
                ("updated_at", restartix.kernel.rows.ChangedAt(editable=False)),
                ("listed", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(blank=True, max_length=2000)),
                ("is_default", models.BooleanField(default=False)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        default=restartix.kernel.tenancy.active_organization_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organizations.organization",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "id"), name="organizations_savedview_in_organization"),
                    models.UniqueConstraint(
                        models.F("organization"),
                        models.F("user"),
                        models.F("listed"),
                        django.db.models.functions.text.Lower("name"),
                        name="saved_view_name_free",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("organization", "user", "listed"),
                        name="saved_view_one_default",
                    ),
                ],
            },
        ),
        *tenant_table("SavedView", entity="saved_view", masked=["name", "query"]),
    ]
