"""Integration keys, and what the daily check of a domain remembers."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("organizations", "0002_identity")]

    operations = []
