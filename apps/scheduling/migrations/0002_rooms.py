"""Video rooms."""

import django.db.models.deletion
from django.db import migrations, models

import restartix.kernel.tenancy
from restartix.kernel.protection import tenant_table


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("records", models.BooleanField(default=False)),
                ("key_changed_at", models.DateTimeField(blank=True, null=True)),
                ("may_exist", models.BooleanField(default=False)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease", models.UUIDField(editable=False, null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "appointment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="room", to="scheduling.appointment"
                    ),
                ),
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
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="room_due")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "id"), name="scheduling_room_in_organization"),
                    restartix.kernel.tenancy.SameOrganization("appointment", name="room_appointment_same_organization"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(
                    ("deleted_at", None),
                    ("mode", "video"),
                    ("status__in", ["upcoming", "confirmed", "inprogress"]),
                ),
                fields=["ended_at"],
                name="appointment_needs_room",
            ),
        ),
        # how an attempt goes is no change of what is wanted
        *tenant_table("Room", entity="room", ignored=["due_at", "attempts", "lease", "error", "may_exist"]),
    ]
