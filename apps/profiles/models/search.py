"""What patients are found by: copies of names and addresses, folded, beside the clinic that may search them."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from apps.organizations.models import ConsentType
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models.consents import ConsentRecord
from apps.profiles.models.patients import Patient
from restartix.kernel.tenancy import SameOrganization, TenantManager, TenantModel


class PatientSearch(TenantModel):
    """One patient's searchable words at one clinic, in small letters and without accents.

    Triggers alone write it, at every clinic at once, whenever the person or the login changes; the application may only
    read. Source: docs/adr/0017-search.md.
    """

    patient = models.OneToOneField(Patient, models.DO_NOTHING, related_name="+")  # a trigger removes it first
    name = models.TextField()
    #: Searched only while the person shares the profile with the clinic.
    person_email = models.TextField(null=True)
    user_email = models.TextField(null=True)
    #: Buckets of the phone's digits (restartix.kernel.grams); searched only while the person shares the profile.
    phone_grams = ArrayField(models.SmallIntegerField(), null=True)

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("patient", name="patient_search_same_organization"),
        ]

    class Privacy:
        identifying = {"patient", "name", "person_email", "user_email", "phone_grams"}
        plain = {"id", "organization"}

    def __str__(self) -> str:
        return self.name


class Folded(Func):
    """Text as searched words are kept; a sub-select, so that it is folded once a statement."""

    function = "profiles_folded"
    template = "(SELECT %(function)s(%(expressions)s))"
    output_field = models.TextField()


def containing(text: str) -> Q:
    """Return the condition that one of a row's words contains `text`; the person's e-mail stays behind the gate.

    `strpos` knows no wildcards, and reads one clinic's rows one by one: no operator that could use an index for the
    middle of a word may run before row-level security (docs/adr/0017-search.md).
    """
    needle = Folded(Value(text))
    names, logins, files = (_found_in(column, needle) for column in ("name", "user_email", "person_email"))
    return names | logins | (files & Q(shares_profile()))


def _found_in(column: str, needle: Folded) -> Q:
    return Q(GreaterThan(StrIndex(F(column), needle), 0))


def shares_profile() -> Exists:
    """Return, as SQL, whether the row's patient shares the profile with the clinic now."""
    sharing = ConsentRecord.objects.filter(type=ConsentType.PROFILE_SHARING, status=ConsentStatus.ACTIVE)
    return Exists(sharing.filter(patient=OuterRef("patient")))
