"""A row of any model in any clinic, made from nothing but the model: what each column takes, links included.

Used by tests that are generated from the models and the URL index, so that later apps join by existing. Where a rule of
the database asks for more than the columns say, `HINTS` gives the values.
"""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.organizations.models import Organization, User
from apps.profiles.models import Patient, PatientPerson
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

_numbers = itertools.count(1)

#: Column values that the database's rules ask for, by model; a callable is called with the organization.
HINTS: dict[str, dict[str, Any]] = {
    "CustomField": {"key": lambda _: f"zz{next(_numbers)}"},
    "CustomFieldValue": {"patient": lambda clinic: profiles.patient(clinic, f"ZZCANARY {next(_numbers)}")},
    "WebhookSubscription": {"url": "https://127.0.0.1:1/", "secret": "whsec_AAAA", "events": ["*"]},
    "AppointmentTemplate": {"duration_minutes": 30},
    "Hold": {"expires_at": lambda _: datetime.now(UTC) + timedelta(minutes=5)},
    "WaitlistEntry": {"contact_email": lambda _: f"waits{next(_numbers)}@example.org"},
    "Impersonation": {"expires_at": lambda _: datetime.now(UTC) + timedelta(hours=1)},
}


def any_row(model: type[models.Model], clinic: Organization, **given: Any) -> Any:
    """Make a row of `model` in `clinic`, with the rows that it must be linked to."""
    if model is Organization:
        return clinic
    if model is User:
        return _user()
    if model is Appointment:
        return _appointment(clinic, **given)
    with within(clinic):
        hints = {
            name: value(clinic) if callable(value) else value for name, value in HINTS.get(model.__name__, {}).items()
        }
        values = {**{field.name: _value(field, clinic) for field in _needed(model)}, **hints, **given}
        return model._base_manager.create(organization=clinic, **values) if _is_tenant(model) else model(**values)


def _user() -> User:
    number = next(_numbers)
    return make.user(f"Anybody {number}", clerk_user_id=f"user_anybody_{number}")


def _appointment(clinic: Organization, **given: Any) -> Appointment:
    """An appointment takes time in the calendar, which is a row of its own: the service makes both."""
    number = next(_numbers)
    start = datetime(2030, 1, 7, 9, tzinfo=UTC) + timedelta(days=number)
    given.setdefault("patient", profiles.patient(clinic, f"ZZCANARY {number}"))
    given.setdefault("specialist", profiles.specialist(clinic, f"ZZCANARY {number}"))
    with within(clinic):
        return appointments.create(started_at=start, ended_at=start + timedelta(hours=1), by=SYSTEM, **given)


def _is_tenant(model: type[models.Model]) -> bool:
    return any(field.name == "organization" for field in model._meta.fields)


def _needed(model: type[models.Model]) -> list[models.Field]:
    """The columns that have neither a default nor null."""
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.null or field.has_default() or field.name == "organization")
        and not getattr(field, "auto_now_add", False)
    ]


def _value(field: models.Field, clinic: Organization) -> Any:
    if field.is_relation:
        return _linked(field, clinic)
    if field.choices:
        return next(iter(dict(field.flatchoices)))
    number = next(_numbers)
    if isinstance(field, ArrayField | models.JSONField):
        return []
    for kind, value in (
        (models.EmailField, f"zz{number}@zzcanary.example"),
        (models.URLField, f"https://zz{number}.example/"),
        (models.CharField, f"zzcanary-{number}"[: getattr(field, "max_length", None)]),
        (models.TextField, f"zzcanary {number}"),
        (models.BooleanField, False),
        (models.DateTimeField, datetime(2030, 1, 7, 9, tzinfo=UTC) + timedelta(minutes=number)),
        (models.DateField, date(2030, 1, 7)),
        (models.DecimalField, Decimal(1)),
        (models.UUIDField, uuid.uuid4()),
        (models.BinaryField, number.to_bytes(32, "big")),
        (models.IntegerField, 1),
        (models.FloatField, 1.0),
        (models.GenericIPAddressField, "192.0.2.1"),
    ):
        if isinstance(field, kind):
            return value
    return f"zzcanary {number}"


def _linked(field: models.Field, clinic: Organization) -> Any:
    target = field.related_model
    number = next(_numbers)
    if target is PatientPerson:
        return profiles.patient(clinic, f"ZZCANARY {number}").person
    if target is Patient:
        return profiles.patient(clinic, f"ZZCANARY {number}")
    return any_row(target, clinic)
