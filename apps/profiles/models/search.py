"""What patients are found by: copies of names and addresses, folded, beside the clinic that may search them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, Lookup, OuterRef, Q, Value

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
    #: The name, and on a line of its own the login's e-mail: what staff may see of anybody.
    open_words = models.TextField()
    #: The person's e-mail: searched only while the person shares the profile with the clinic.
    gated_words = models.TextField(null=True)
    #: Buckets of the phone's digits (restartix.kernel.grams); searched only while the person shares the profile.
    phone_grams = ArrayField(models.SmallIntegerField(), null=True)

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("patient", name="patient_search_same_organization"),
        ]

    class Privacy:
        identifying = {"patient", "open_words", "gated_words", "phone_grams"}
        plain = {"id", "organization"}

    def __str__(self) -> str:
        return self.open_words


class Folded(Func):
    """Text as searched words are kept; a sub-select, so that it is folded once a statement."""

    function = "profiles_folded"
    template = "(SELECT %(function)s(%(expressions)s))"
    output_field = models.TextField()


class _Somewhere(Folded):
    """The pattern of LIKE for text that stands anywhere."""

    function = "profiles_somewhere"


class _Like(Lookup):
    """LIKE with a pattern that is written already; Django's own would escape it once more."""

    lookup_name = "like"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Write `column LIKE pattern`."""
        column, column_params = self.process_lhs(compiler, connection)
        pattern, pattern_params = self.process_rhs(compiler, connection)
        return f"{column} LIKE {pattern}", [*column_params, *pattern_params]


def containing(text: str) -> Q:
    """Return the condition that one of a row's words contains `text`; the person's e-mail stays behind the gate.

    One clinic's rows are read one by one: no operator that could use an index for the middle of a word may run before
    row-level security. LIKE, because PostgreSQL guesses that it keeps few rows (docs/adr/0017-search.md).
    """
    pattern = _Somewhere(Value(text))
    is_open, is_gated = _Like(F("open_words"), pattern), _Like(F("gated_words"), pattern)
    return Q(is_open) | (Q(is_gated) & Q(shares_profile()))


def shares_profile() -> Exists:
    """Return, as SQL, whether the row's patient shares the profile with the clinic now."""
    sharing = ConsentRecord.objects.filter(type=ConsentType.PROFILE_SHARING, status=ConsentStatus.ACTIVE)
    return Exists(sharing.filter(patient=OuterRef("patient")))
