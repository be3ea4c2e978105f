"""When a patient arrived."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0002_rooms")]

    operations = [
        migrations.AddField(
            model_name="appointment", name="arrived_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
