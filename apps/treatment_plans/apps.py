"""How Django knows this domain."""

from django.apps import AppConfig


class TreatmentPlansConfig(AppConfig):
    """The treatment_plans domain."""

    name = "apps.treatment_plans"
    label = "treatment_plans"
    verbose_name = "Treatment plans"
