"""Which reminders were sent."""

import django.db.models.deletion
from django.db import migrations, models

import restartix.kernel.clock
import restartix.kernel.tenancy
from restartix.kernel.protection import tenant_table


class Migration(migrations.Migration):

    dependencies = [("scheduling", "0004_waitlist"), ("organizations", "0006_pictures")]

    operations = [
        migrations.CreateModel(
            name="AppointmentReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("at", models.DateTimeField(default=restartix.kernel.clock.now)),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="scheduling.appointment"
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "id"), name="scheduling_appointmentreminder_in_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization(
                        "appointment", name="reminder_appointment_same_organization"
                    ),
                    models.UniqueConstraint(fields=("appointment", "started_at"), name="reminder_once"),
                ],
            },
        ),
        *tenant_table("AppointmentReminder", entity="appointment_reminder"),
    ]
