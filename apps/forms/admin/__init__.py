"""Back office: the clinic's custom fields, the values that people have of them, and a patient's on the sheet."""

from apps.forms.admin import custom_fields, custom_values, patient_fields

__all__ = ["custom_fields", "custom_values", "patient_fields"]
