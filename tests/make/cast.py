"""The cast of the contract's acceptance scenarios: two clinics and the people in them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.organizations.models import Organization, User
from apps.profiles.models import Patient, Specialist
from tests.make import organizations as make
from tests.make import profiles


@dataclass(frozen=True)
class Person:
    """Somebody of the cast, as what the clinic knows them."""

    user: User | None = None
    specialist: Specialist | None = None
    patient: Patient | None = None


@dataclass(frozen=True)
class Cast:
    """Everybody. `sud` has all parts, `nord` one of each; Vera is admin of both, Root superadmin."""

    sud: Organization
    nord: Organization
    ion: Person
    sara: Person
    tudor: Person
    mara: Person
    ana: Person
    vera: Person
    root: Person
    nora: Person
    sorin: Person
    petra: Person


def assemble() -> Cast:
    """Make the cast: specialists are bookable on weekdays from nine to five."""
    sud, nord = make.organization("clinica-sud"), make.organization("clinica-nord")
    vera = make.user("Vera Dinu")
    for clinic in (sud, nord):
        make.member(clinic, vera, "admin")
    return Cast(
        sud=sud,
        nord=nord,
        ion=_member(sud, "Ion Admin", "admin"),
        sara=_specialist(sud, "Sara Marin", title="Dr."),
        tudor=Person(specialist=profiles.specialist(sud, "Tudor Pop", weekly=profiles.OFFICE_HOURS)),
        mara=_member(sud, "Mara Stan", "customer_support"),
        ana=_patient(sud, "Ana Pop"),
        vera=Person(vera),
        root=Person(make.user("Root", is_superadmin=True)),
        nora=_member(nord, "Nora Admin", "admin"),
        sorin=_specialist(nord, "Sorin Radu"),
        petra=_patient(nord, "Petra Ilie"),
    )


def _member(clinic: Organization, name: str, role: str) -> Person:
    user = make.user(name)
    make.member(clinic, user, role)
    user.refresh_from_db()
    return Person(user)


def _specialist(clinic: Organization, name: str, **fields: str) -> Person:
    user = _member(clinic, name, "specialist").user
    return Person(user, specialist=profiles.specialist(clinic, name, user=user, weekly=profiles.OFFICE_HOURS, **fields))


def _patient(clinic: Organization, name: str) -> Person:
    user = _member(clinic, name, "patient").user
    return Person(user, patient=profiles.patient(clinic, name, user=user))
