"""The one statement with which a request finds its caller and enters an organization."""

from django.db import migrations

from apps.organizations.migrations._identity import ENTER, ENTER_REVERSE


class Migration(migrations.Migration):
    """Create `restartix_enter`."""

    dependencies = [("organizations", "0001_initial")]
    operations = [migrations.RunSQL(ENTER, ENTER_REVERSE)]
