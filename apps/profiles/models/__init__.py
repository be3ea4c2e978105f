"""Rows of people: persons and patients, their consents and caregivers, specialists and specialties."""

from apps.profiles.models.consents import ConsentRecord
from apps.profiles.models.impersonations import Impersonation, SigningKey
from apps.profiles.models.patients import Patient, PatientPerson, PatientPersonManager
from apps.profiles.models.search import PatientSearch
from apps.profiles.models.specialists import Specialist, SpecialistSpecialty, Specialty

__all__ = [
    "ConsentRecord",
    "Impersonation",
    "Patient",
    "PatientPerson",
    "PatientPersonManager",
    "PatientSearch",
    "SigningKey",
    "Specialist",
    "SpecialistSpecialty",
    "Specialty",
]
