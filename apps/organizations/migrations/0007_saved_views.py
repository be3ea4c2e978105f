"""Lists as somebody saved them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("organizations", "0006_pictures")]

    operations = []
