"""Outgoing webhooks: subscriptions, deliveries, their attempts, and the pace of each clinic."""

import django.contrib.postgres.fields
import django.db.models.deletion
import restartix.kernel.clock
import restartix.kernel.crypto
import restartix.kernel.rows
import restartix.kernel.tenancy
import uuid
from django.db import migrations, models

from restartix.kernel.protection import IsolateTable, tenant_table


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0003_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookSubscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
                ('updated_at', restartix.kernel.rows.ChangedAt(editable=False)),
                ('uid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('url', models.CharField(max_length=2048)),
                ('description', models.CharField(blank=True, max_length=200, null=True)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ('is_active', models.BooleanField(default=True)),
                ('secret', restartix.kernel.crypto.SealedTextField(null=True)),
                ('previous_secret', restartix.kernel.crypto.SealedTextField(null=True)),
                ('previous_secret_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('consecutive_failures', models.PositiveIntegerField(default=0, editable=False)),
                ('failing_since', models.DateTimeField(blank=True, editable=False, null=True)),
                ('disabled_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('disabled_reason', models.CharField(blank=True, choices=[('manual', 'Manual'), ('gone', 'Gone'), ('failing', 'Failing')], editable=False, max_length=8, null=True)),
                ('last_delivery_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=restartix.kernel.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organizations.organization')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('retrying', 'Retrying'), ('delivered', 'Delivered'), ('exhausted', 'Exhausted'), ('discarded', 'Discarded')], default='pending', max_length=9)),
                ('attempt_count', models.PositiveSmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('lease_token', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(default=restartix.kernel.clock.now)),
                ('completed_at', models.DateTimeField(null=True)),
                ('fact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='organizations.fact')),
                ('organization', models.ForeignKey(db_index=False, default=restartix.kernel.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organizations.organization')),
                ('subscription', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='organizations.webhooksubscription')),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(choices=[('scheduled', 'Scheduled'), ('resend', 'Resend'), ('test', 'Test')], max_length=9)),
                ('at', models.DateTimeField()),
                ('duration_ms', models.PositiveIntegerField()),
                ('response_code', models.PositiveSmallIntegerField(null=True)),
                ('error', models.CharField(choices=[('timeout', 'Timeout'), ('connection', 'Connection'), ('dns', 'Dns'), ('tls', 'Tls'), ('redirect', 'Redirect'), ('http_status', 'Http Status'), ('blocked_address', 'Blocked Address')], max_length=16, null=True)),
                ('response_snippet', models.CharField(max_length=1024, null=True)),
                ('organization', models.ForeignKey(db_index=False, default=restartix.kernel.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organizations.organization')),
                ('delivery', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='organizations.webhookdelivery')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='organizations_webhookattempt_in_organization'), restartix.kernel.tenancy.SameOrganization('delivery', name='webhook_attempt_delivery_here'), models.UniqueConstraint(fields=('delivery', 'number'), name='webhook_attempt_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['scheduled', 'resend', 'test'])), name='webhook_attempt_kind_known'), models.CheckConstraint(condition=models.Q(('error', None), ('error__in', ['timeout', 'connection', 'dns', 'tls', 'redirect', 'http_status', 'blocked_address']), _connector='OR'), name='webhook_attempt_error_known')],
            },
        ),
        migrations.CreateModel(
            name='WebhookPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begun', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None)),
                ('organization', models.ForeignKey(db_index=False, default=restartix.kernel.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organizations.organization')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='organizations_webhookpace_in_organization'), models.UniqueConstraint(fields=('organization',), name='webhook_pace_once')],
            },
        ),
        migrations.AddIndex(
            model_name='webhooksubscription',
            index=models.Index(fields=['organization', 'created_at'], name='webhook_by_time'),
        ),
        migrations.AddConstraint(
            model_name='webhooksubscription',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='organizations_webhooksubscription_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='webhooksubscription',
            constraint=models.CheckConstraint(condition=models.Q(('disabled_reason', None), ('disabled_reason__in', ['manual', 'gone', 'failing']), _connector='OR'), name='webhook_disabled_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='webhooksubscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('disabled_at', None), ('disabled_reason', None), ('is_active', True)), models.Q(('disabled_at__isnull', False), ('disabled_reason__isnull', False), ('is_active', False)), _connector='OR'), name='webhook_disabled_whole'),
        ),
        migrations.AddConstraint(
            model_name='webhooksubscription',
            constraint=models.CheckConstraint(condition=models.Q(('events__len__range', (1, 50))), name='webhook_events_bounds'),
        ),
        migrations.AddConstraint(
            model_name='webhooksubscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('deleted_at', None), ('secret__isnull', False)), models.Q(('deleted_at__isnull', False), ('is_active', False), ('previous_secret', None), ('secret', None)), _connector='OR'), name='webhook_deleted_without_secrets'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['subscription', 'next_attempt_at'], name='webhook_delivery_waiting'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='webhook_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['lease_until'], name='webhook_delivery_leased'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['organization', 'subscription', 'created_at'], name='webhook_delivery_by_time'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['created_at'], name='webhook_delivery_age'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='organizations_webhookdelivery_in_organization'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=restartix.kernel.tenancy.SameOrganization('fact', name='webhook_delivery_fact_here'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=restartix.kernel.tenancy.SameOrganization('subscription', name='webhook_delivery_subscription_here'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('fact', 'subscription'), name='webhook_delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'retrying', 'delivered', 'exhausted', 'discarded'])), name='webhook_delivery_status_known'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('attempt_count__range', (0, 6))), name='webhook_delivery_attempt_bounds'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('completed_at', None), ('status__in', ['pending', 'retrying'])), models.Q(('completed_at__isnull', False), ('next_attempt_at', None), ('status__in', ['delivered', 'exhausted', 'discarded'])), _connector='OR'), name='webhook_delivery_completed_whole'),
        ),
        *tenant_table(
            "WebhookSubscription",
            entity="webhook_subscription",
            identity="uid",
            masked=["secret", "previous_secret"],
            # what deliveries note is told by the deliveries
            ignored=["consecutive_failures", "failing_since", "last_delivery_at"],
        ),
        IsolateTable("WebhookDelivery"),
        IsolateTable("WebhookAttempt"),
        IsolateTable("WebhookPace"),
    ]
