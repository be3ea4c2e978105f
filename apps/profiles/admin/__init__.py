"""Back office: patients with their sheet, consents and caregivers, specialists and specialties."""

from apps.profiles.admin import caregivers, consents, finding, impersonations, patients, sheet, specialists

__all__ = ["caregivers", "consents", "finding", "impersonations", "patients", "sheet", "specialists"]
