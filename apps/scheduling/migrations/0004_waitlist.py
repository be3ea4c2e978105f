"""The waiting list."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import restartix.kernel.clock
import restartix.kernel.crypto
import restartix.kernel.tenancy
from restartix.kernel.protection import tenant_table

# A public operation takes its organization from the entry that it names (migrations/_sql.py, look-ups).
LOOKUP = """
CREATE FUNCTION scheduling_organization_of_waitlist_entry(key uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM scheduling_waitlistentry WHERE uid = key
$$;
ALTER FUNCTION scheduling_organization_of_waitlist_entry(uuid) OWNER TO restartix_platform;
"""


class Migration(migrations.Migration):

    dependencies = [("scheduling", "0003_arrivals"), ("profiles", "0005_people"), ("organizations", "0006_pictures")]

    operations = [
        migrations.CreateModel(
            name="WaitlistEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("notified", "Notified"),
                            ("removed", "Removed"),
                            ("expired", "Expired"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("contact_name", models.CharField(max_length=200)),
                ("contact_email", models.EmailField(blank=True, max_length=254, null=True)),
                ("contact_phone", restartix.kernel.crypto.SealedTextField(blank=True, null=True)),
                ("date_from", models.DateField()),
                ("date_to", models.DateField()),
                ("timezone", models.CharField(max_length=64)),
                ("locale", models.CharField(max_length=35)),
                ("consents", models.JSONField(blank=True, default=list, editable=False)),
                ("created_at", models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
                ("notified_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("notified_start", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "appointment_template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="scheduling.appointmenttemplate",
                    ),
                ),
                (
                    "notified_specialist",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="profiles.specialist",
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
                    "specialist",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="profiles.specialist",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["organization", "appointment_template", "created_at", "id"],
                        name="waitlist_oldest",
                    ),
                    models.Index(fields=["organization", "created_at", "id"], name="waitlist_by_time"),
                    models.Index(condition=models.Q(("status", "waiting")), fields=["date_to"], name="waitlist_by_end"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "id"), name="scheduling_waitlistentry_in_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization(
                        "appointment_template", name="waitlist_template_same_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization(
                        "specialist", name="waitlist_specialist_same_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization(
                        "notified_specialist", name="waitlist_notified_specialist_same_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["waiting", "notified", "removed", "expired"])),
                        name="waitlist_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("date_to__gte", models.F("date_from"))), name="waitlist_dates_in_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("notified_at__isnull", False),
                                ("notified_specialist__isnull", False),
                                ("notified_start__isnull", False),
                                ("status", "notified"),
                            ),
                            models.Q(
                                models.Q(("status", "notified"), _negated=True),
                                ("notified_at", None),
                                ("notified_specialist", None),
                                ("notified_start", None),
                            ),
                            _connector="OR",
                        ),
                        name="waitlist_notified_has_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "waiting"), _negated=True),
                            ("contact_email__isnull", False),
                            _connector="OR",
                        ),
                        name="waitlist_waiting_can_be_told",
                    ),
                    models.UniqueConstraint(
                        models.F("appointment_template"),
                        django.db.models.functions.text.Lower("contact_email"),
                        condition=models.Q(("status", "waiting")),
                        name="waitlist_waits_once",
                    ),
                ],
            },
        ),
        # the contact is masked: an entry belongs to no patient's file, by which an erasure would find its trail
        *tenant_table(
            "WaitlistEntry",
            entity="waitlist_entry",
            masked=["contact_name", "contact_email", "contact_phone"],
        ),
        migrations.RunSQL(LOOKUP, "DROP FUNCTION scheduling_organization_of_waitlist_entry(uuid)"),
    ]
