"""How Django knows this domain."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """The documents domain."""

    name = "apps.documents"
    label = "documents"
    verbose_name = "Documents"
