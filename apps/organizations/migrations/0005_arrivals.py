"""The inbox of the identity provider's events."""

from django.db import migrations, models

import restartix.kernel.clock


class Migration(migrations.Migration):
    """Create the inbox; it belongs to no clinic, as users do, and is itself a record of what happened."""

    dependencies = [("organizations", "0004_webhooks")]

    operations = [
        migrations.CreateModel(
            name="IdentityEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("svix_id", models.CharField(max_length=255, unique=True)),
                ("type", models.CharField(max_length=100)),
                ("subject", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("processed", "Processed"), ("ignored", "Ignored"), ("conflict", "Conflict")],
                        default="processed",
                        max_length=9,
                    ),
                ),
                ("received_at", models.DateTimeField(default=restartix.kernel.clock.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["received_at", "id"], name="identity_event_by_time"),
                    models.Index(
                        condition=models.Q(("type", "user.deleted")),
                        fields=["subject"],
                        name="identity_event_deletions",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["processed", "ignored", "conflict"])),
                        name="identity_event_outcome_known",
                    )
                ],
            },
        ),
    ]
