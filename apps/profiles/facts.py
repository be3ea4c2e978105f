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
