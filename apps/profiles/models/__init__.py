"""Rows of people: persons and patients, their consents and caregivers, specialists and specialties."""

from apps.profiles.models.consents import ConsentRecord
from apps.profiles.models.patients import Patient, PatientPerson, PatientPersonManager
from apps.profiles.models.search import PatientSearch
from apps.profiles.models.specialists import Specialist, SpecialistSpecialty, Specialty

__all__ = [
    "ConsentRecord",
    "Patient",
    "PatientPerson",
    "PatientPersonManager",
    "PatientSearch",
    "Specialist",
    "SpecialistSpecialty",
    "Specialty",
]
