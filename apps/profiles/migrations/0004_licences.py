"""Which licence alert the admins had last."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("profiles", "0003_impersonations")]

    operations = [
        migrations.AddField(
            model_name="specialist",
            name="license_alerted_for",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="specialist",
            name="license_alerted_days",
            field=models.SmallIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="specialist",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("license_alerted_days", None), ("license_alerted_for", None)),
                    models.Q(("license_alerted_days__in", (60, 30, 7, 0)), ("license_alerted_for__isnull", False)),
                    _connector="OR",
                ),
                name="specialist_license_alert_whole",
            ),
        ),
    ]
