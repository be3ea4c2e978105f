"""How a request finds its caller and enters an organization, and how a host name finds its organization."""

from django.db import migrations

from apps.organizations.migrations._identity import DOMAIN, DOMAIN_REVERSE, ENTER, ENTER_REVERSE


class Migration(migrations.Migration):
    """Create `restartix_enter` and `restartix_verified_domain`."""

    dependencies = [("organizations", "0001_initial")]
    operations = [
        migrations.RunSQL(ENTER, ENTER_REVERSE),
        migrations.RunSQL(DOMAIN, DOMAIN_REVERSE),
    ]
