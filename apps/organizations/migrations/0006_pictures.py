"""Public pictures: logos, icons, avatars."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("organizations", "0005_arrivals")]

    operations = []
