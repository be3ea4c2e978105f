"""Impersonations, the keys that sign their tokens, and the redaction of audit rows after an erasure."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import restartix.kernel.clock
import restartix.kernel.crypto
import restartix.kernel.tenancy
from apps.profiles.migrations._erasure import REDACTION, REDACTION_REVERSE
from apps.profiles.migrations._impersonation import (
    ENDING,
    ENDING_REVERSE,
    ENTER,
    ENTER_REVERSE,
    KEYS,
    KEYS_REVERSE,
    PACE,
    PACE_REVERSE,
    TRACE,
    TRACE_REVERSE,
)
from restartix.kernel.protection import AuditTable, tenant_table


class Migration(migrations.Migration):
    dependencies = [("profiles", "0002_search"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("public_key", models.TextField()),
                ("private_key", restartix.kernel.crypto.SealedTextField()),
                ("created_at", models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="Impersonation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "actor_role",
                    models.CharField(choices=[("admin", "Admin"), ("superadmin", "Superadmin")], max_length=12),
                ),
                ("reason", models.CharField(max_length=500)),
                ("started_at", models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("expired", "Expired"),
                            ("ended", "Ended"),
                            ("membership_ended", "Membership Ended"),
                            ("blocked", "Blocked"),
                        ],
                        max_length=16,
                        null=True,
                    ),
                ),
                ("request_count", models.PositiveIntegerField(default=0)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="impersonations",
                        to="profiles.patient",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "-started_at", "-id"], name="impersonation_newest"),
                    models.Index(fields=["patient", "-started_at"], name="impersonation_of_patient"),
                    models.Index(fields=["actor", "-started_at"], name="impersonation_by_actor"),
                    models.Index(
                        condition=models.Q(("ended_at", None)), fields=["expires_at"], name="impersonation_open"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "id"), name="profiles_impersonation_in_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization(
                        "patient", name="impersonation_patient_same_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor_role__in", ["admin", "superadmin"])),
                        name="impersonation_actor_role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_reason", None),
                            ("ended_reason__in", ["expired", "ended", "membership_ended", "blocked"]),
                            _connector="OR",
                        ),
                        name="impersonation_ended_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_reason", None)),
                            models.Q(("ended_at__isnull", False), ("ended_reason__isnull", False)),
                            _connector="OR",
                        ),
                        name="impersonation_end_has_reason",
                    ),
                ],
            },
        ),
        *tenant_table("Impersonation", entity="impersonation", patient="patient_id", ignored=["request_count"]),
        AuditTable("SigningKey", entity="signing_key", organization="", masked=["private_key"]),
        migrations.RunSQL(KEYS, KEYS_REVERSE),
        migrations.RunSQL(ENTER, ENTER_REVERSE),
        migrations.RunSQL(ENDING, ENDING_REVERSE),
        migrations.RunSQL(PACE, PACE_REVERSE),
        migrations.RunSQL(TRACE, TRACE_REVERSE),
        migrations.RunSQL(REDACTION, REDACTION_REVERSE),
    ]
