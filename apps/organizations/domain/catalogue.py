"""Events of the catalogue whose apps are not built yet: what they will carry is promised in the API's document already.

An app that comes takes its own over into its `facts.py`. Source: contract/organizations.md 1.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from restartix.kernel.facts import Announcement


@dataclass(frozen=True, slots=True)
class _AboutForm(Announcement):
    form_id: int
    appointment_id: int | None
    patient_id: int
    specialist_id: int | None


@dataclass(frozen=True, slots=True)
class FormSubmitted(_AboutForm):
    """A form was filled in and handed in."""

    name: ClassVar[str] = "form.submitted"


@dataclass(frozen=True, slots=True)
class FormSigned(_AboutForm):
    """A form was signed; it changes no more."""

    name: ClassVar[str] = "form.signed"


@dataclass(frozen=True, slots=True)
class _AboutDocument(Announcement):
    document_id: int
    appointment_id: int | None
    type: str = field(metadata={"example": "report"})


@dataclass(frozen=True, slots=True)
class DocumentGenerated(_AboutDocument):
    """A document was made."""

    name: ClassVar[str] = "document.generated"


@dataclass(frozen=True, slots=True)
class DocumentSigned(_AboutDocument):
    """A document was signed."""

    name: ClassVar[str] = "document.signed"


@dataclass(frozen=True, slots=True)
class SegmentMembershipChanged(Announcement):
    """A patient came into a segment or left it."""

    name: ClassVar[str] = "segment.membership_changed"
    segment_id: int
    patient_id: int
    action: str = field(metadata={"example": "added"})


@dataclass(frozen=True, slots=True)
class TreatmentPlanAssigned(Announcement):
    """A patient was given a treatment plan."""

    name: ClassVar[str] = "treatment_plan.assigned"
    enrolment_id: int
    treatment_plan_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class _AboutSession(Announcement):
    enrolment_id: int
    completion_id: int
    session_number: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class TreatmentSessionCompleted(_AboutSession):
    """A patient did a session of a plan."""

    name: ClassVar[str] = "treatment_session.completed"


@dataclass(frozen=True, slots=True)
class TreatmentSessionSkipped(_AboutSession):
    """A patient left a session of a plan out."""

    name: ClassVar[str] = "treatment_session.skipped"


@dataclass(frozen=True, slots=True)
class ProductOrderUpdated(Announcement):
    """The order of a product came further, or was called off."""

    name: ClassVar[str] = "product_order.updated"
    order_id: int
    patient_id: int
    status: str = field(metadata={"example": "confirmed"})
