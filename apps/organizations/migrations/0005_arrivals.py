"""The inbox of the identity provider's events."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("organizations", "0004_webhooks")]

    operations = []
