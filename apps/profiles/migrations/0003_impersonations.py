"""Impersonations."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("profiles", "0002_search")]

    operations = []
