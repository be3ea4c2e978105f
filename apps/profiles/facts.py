"""What the profiles domain announces. Source: contract/organizations.md 1.8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from restartix.kernel.facts import Announcement


@dataclass(frozen=True, slots=True)
class PatientOnboarded(Announcement):
    """A person became a patient of the organization."""

    name: ClassVar[str] = "patient.onboarded"
    patient_id: int


@dataclass(frozen=True, slots=True)
class PatientUpdated(Announcement):
    """A patient's data changed, or who may see them."""

    name: ClassVar[str] = "patient.updated"
    patient_id: int


@dataclass(frozen=True, slots=True)
class CaregiverAppointed(Announcement):
    """Somebody may act for a patient; the patient is written to."""

    name: ClassVar[str] = "internal.caregiver_appointed"
    patient_id: int
    manager_id: int


@dataclass(frozen=True, slots=True)
class ImpersonationStarted(Announcement):
    """A member of staff began to act as a patient, who is written to."""

    name: ClassVar[str] = "internal.impersonation_started"
    impersonation_id: int
