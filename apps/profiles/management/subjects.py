"""Whom a command is about: a clinic by its slug, one of its patients, and a patient's document for themself."""

from __future__ import annotations

from typing import Any

from apps.organizations.models import Organization
from apps.profiles.api import exports
from apps.profiles.models import Patient
from restartix.kernel import audit, clock
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import Actor, Trace, acting_for

TRACE = Trace(source="command")


def organization_called(slug: str) -> Organization:
    """Return the clinic. Raises NotFound (404), for deleted ones too."""
    organization = Organization.objects.alive().filter(slug=slug).first()
    if organization is None:
        raise NotFound(f"There is no organization {slug}.")
    return organization


def patient_of(organization: Organization, patient_id: int, *, by: Actor) -> Patient:
    """Return a patient of the clinic, a removed one too. Raises NotFound (404)."""
    with acting_for(organization.pk, actor=by, trace=TRACE):
        patient = Patient.objects.select_related("person").filter(pk=patient_id).first()
    if patient is None:
        raise NotFound(f"{organization.slug} has no patient {patient_id}.")
    return patient


def own_document(patient_id: int, organization: Organization, *, by: Actor) -> dict[str, Any]:
    """Return what the clinic keeps of the patient, the whole person included: the document is for them.

    Leaves the audit row of an export.
    """
    with acting_for(organization.pk, actor=by, trace=TRACE):
        rows = exports.prepared(Patient.objects.filter(pk=patient_id), by=by, today=organization.today(clock.now()))
        patient: Any = rows.get()
        patient.is_own = True
        audit.note("EXPORT", "patient", patient.pk, patient_id=patient.pk)
        context = {"actor": exports.audience_of(patient), "include": ()}
        return {
            **exports.document_of(patient),
            **{name: part(patient, context) for name, part in exports.besides.items()},
        }
