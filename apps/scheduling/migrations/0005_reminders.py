"""Which reminders were sent."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("scheduling", "0004_waitlist")]

    operations = []
