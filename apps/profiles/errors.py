"""Every refusal of the profiles domain. Source: contract/profiles.md."""

from __future__ import annotations

from collections.abc import Iterable

from restartix.kernel.errors import Conflict, Forbidden


class NotYours(Forbidden):
    """Specialists write only some fields of their own profile."""

    def __init__(self, fields: Iterable[str]) -> None:
        """Name the fields that were sent and are not among them."""
        super().__init__(details={"fields": sorted(fields)})


class SpecialistDeleted(Conflict):
    """The specialist is deleted: restore first."""


class TimezoneLocked(Conflict):
    """The time zone stays while exceptions for one appointment template lie ahead: leave them out, or keep the zone."""

    code = "timezone_locked"

    def __init__(self, override_ids: Iterable[int]) -> None:
        """Name the overrides that lock it."""
        super().__init__(details={"override_ids": sorted(override_ids)})


class ProfileNotShared(Forbidden):
    """The patient does not share the profile with this organization."""

    def __init__(self) -> None:
        """Say which rule it is."""
        super().__init__(details={"reason": "profile_not_shared"})


class AlreadyPatient(Conflict):
    """The person is a patient of this organization already."""

    def __init__(self, patient_id: int) -> None:
        """Name the patient."""
        super().__init__(details={"patient_id": patient_id})


class CaresAlready(Conflict):
    """This caregiver cares for the patient during these days already."""


class NotTheDesk(Forbidden):
    """Only the clinic's desk and its admins write these fields."""

    def __init__(self, *fields: str) -> None:
        """Name the fields."""
        super().__init__(details={"fields": list(fields)})


class PatientHasNoAccount(Conflict):
    """The patient has no account, so nobody can act in it."""

    code = "patient_has_no_account"


class PatientBlocked(Conflict):
    """The patient's account is blocked, or no longer belongs to this organization."""


class OwnAccountAsPatient(Conflict):
    """This is your own account: nobody acts as themselves."""


class PersonAmbiguous(Conflict):
    """Several people are on file with this e-mail address: name the patient."""

    def __init__(self, person_ids: Iterable[int]) -> None:
        """Name the persons."""
        super().__init__(details={"person_ids": sorted(person_ids)})


class StillOnTheStaff(Conflict):
    """This login works at a clinic: end its memberships first."""


class KnownElsewhere(Conflict):
    """The person is a patient of other clinics too: erase the person with erase_person, which concerns all of them."""

    def __init__(self, clinics: int) -> None:
        """Say how many other clinics."""
        super().__init__(details={"other_clinics": clinics})
