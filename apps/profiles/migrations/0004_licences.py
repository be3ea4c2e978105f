"""Which licence alerts were sent, and where signatures are kept."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("profiles", "0003_impersonations")]

    operations = []
