"""What patients are found by."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import restartix.kernel.tenancy
from apps.profiles.migrations._search import (
    FOLDED,
    FOLDED_REVERSE,
    NO_AUDIT,
    OLD_AUDIT,
    TRIGGERS,
    TRIGGERS_REVERSE,
)
from restartix.kernel.protection import WHERE_IT_HAPPENS, AuditTable, IsolateTable


class Migration(migrations.Migration):

    dependencies = [("profiles", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="patientperson",
            name="phone_grams",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.SmallIntegerField(), blank=True, editable=False, null=True, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="patientperson",
            constraint=models.CheckConstraint(
                condition=models.Q(("phone_grams", None), ("phone__isnull", False), _connector="OR"),
                name="person_grams_of_phone",
            ),
        ),
        migrations.RunSQL(NO_AUDIT, OLD_AUDIT),
        AuditTable(
            "PatientPerson",
            entity="patient_person",
            organization=WHERE_IT_HAPPENS,
            masked=["phone", "phone_hash", "emergency_contact_phone"],
            ignored=["phone_grams"],
        ),
        migrations.CreateModel(
            name="PatientSearch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("open_words", models.TextField()),
                ("gated_words", models.TextField(null=True)),
                (
                    "phone_grams",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), null=True, size=None
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="profiles.patient"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "id"), name="profiles_patientsearch_in_organization"
                    ),
                    restartix.kernel.tenancy.SameOrganization("patient", name="patient_search_same_organization"),
                ],
            },
        ),
        IsolateTable("PatientSearch"),
        migrations.RunSQL(FOLDED, FOLDED_REVERSE),
        migrations.RunSQL(TRIGGERS, TRIGGERS_REVERSE),
    ]
