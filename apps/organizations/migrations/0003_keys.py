"""Integration keys, what the checks of a domain remember, and an audit that takes new keys for no change."""

import django.db.models.deletion
import restartix.kernel.clock
import restartix.kernel.crypto
import restartix.kernel.rows
import restartix.kernel.tenancy
from django.conf import settings
from django.db import migrations, models

from restartix.kernel.protection import AUDIT_TRIGGER, tenant_table


class Migration(migrations.Migration):

    dependencies = [("organizations", "0002_identity")]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=restartix.kernel.clock.now, editable=False)),
                ('updated_at', restartix.kernel.rows.ChangedAt(editable=False)),
                ('service', models.CharField(choices=[('daily', 'Daily'), ('aws_s3', 'AWS S3'), ('bunny_stream', 'Bunny Stream'), ('stripe', 'Stripe'), ('twilio', 'Twilio'), ('smtp', 'SMTP'), ('crm', 'CRM'), ('ehr', 'EHR')], max_length=16)),
                ('title', models.CharField(blank=True, max_length=100, null=True)),
                ('api_key', restartix.kernel.crypto.BoundSecretField(bound_to=['organization_id', 'service'], kind='api_key')),
                ('last4', models.CharField(editable=False, max_length=4, null=True)),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, default=restartix.kernel.tenancy.active_organization_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organizations.organization')),
            ],
            options={
                'verbose_name': 'API key',
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('organization', 'id'), name='organizations_apikey_in_organization'), models.UniqueConstraint(fields=('organization', 'service'), name='api_key_once_for_service'), models.CheckConstraint(condition=models.Q(('service__in', ['daily', 'aws_s3', 'bunny_stream', 'stripe', 'twilio', 'smtp', 'crm', 'ehr'])), name='api_key_service_known')],
            },
        ),
        *tenant_table("ApiKey", entity="api_key", masked=["api_key"]),
        migrations.AddField(
            model_name='domain',
            name='failed_checks',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='domain',
            name='found',
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
        migrations.AlterField(
            model_name='domain',
            name='last_error',
            field=models.CharField(blank=True, choices=[('record_missing', 'No record'), ('record_mismatch', 'Another value'), ('nxdomain', 'No such name')], max_length=16, null=True),
        ),
        migrations.AddConstraint(
            model_name='domain',
            constraint=models.CheckConstraint(condition=models.Q(('last_error', None), ('last_error__in', ['record_missing', 'record_mismatch', 'nxdomain']), _connector='OR'), name='domain_error_known'),
        ),
        migrations.AlterField(
            model_name='idempotencyrecord',
            name='body',
            field=restartix.kernel.crypto.BoundSecretField(bound_to=['scope_digest'], kind='idempotency', null=True),
        ),
        migrations.RunSQL(AUDIT_TRIGGER, migrations.RunSQL.noop),
    ]
