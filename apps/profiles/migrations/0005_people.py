"""Caregivers that are ended before their time, and who may be linked to a clinic."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
from django.db import migrations, models

from apps.profiles.migrations._people import PEOPLE, PEOPLE_REVERSE


class Migration(migrations.Migration):

    dependencies = [("profiles", "0004_licences")]

    operations = [
        migrations.AddField(
            model_name="patientpersonmanager",
            name="ended_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RemoveConstraint(model_name="patientpersonmanager", name="caregiver_once_at_a_time"),
        migrations.AddConstraint(
            model_name="patientpersonmanager",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                name="caregiver_once_at_a_time",
                expressions=[
                    ("patient", "="),
                    ("user", "="),
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.F("valid_to"),
                            models.Case(
                                models.When(ended_at=None, then=models.Value("[]")), default=models.Value("[)")
                            ),
                            function="DATERANGE",
                            output_field=django.contrib.postgres.fields.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
            ),
        ),
        migrations.RunSQL(PEOPLE, PEOPLE_REVERSE),
    ]
