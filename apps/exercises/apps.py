"""How Django knows this domain."""

from django.apps import AppConfig


class ExercisesConfig(AppConfig):
    """The exercises domain."""

    name = "apps.exercises"
    label = "exercises"
    verbose_name = "Exercises"
