"""Public pictures: logos, icons, avatars."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import restartix.kernel.clock
import restartix.kernel.tenancy
from restartix.kernel.protection import tenant_table


class Migration(migrations.Migration):

    dependencies = [("organizations", "0005_arrivals")]

    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.CharField(choices=[("logo", "Logo"), ("icon", "Icon"), ("avatar", "Avatar")], max_length=6)),
                ("media_type", models.CharField(max_length=20)),
                ("storage_key", models.CharField(max_length=200, unique=True)),
                ("created_at", models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
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
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "id"), name="organizations_picture_in_organization"),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["logo", "icon", "avatar"])), name="picture_kind_known"),
                ],
            },
        ),
        # public by purpose: a visitor who is in no organization reads them
        *tenant_table("Picture", entity="picture", also_visible="true"),
    ]
