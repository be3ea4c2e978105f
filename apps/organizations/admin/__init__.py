"""The ground floor in the back office: clinics, their domains and keys, people with a login, and who works where."""

from apps.organizations.admin import clinics, domains, people, users

__all__ = ["clinics", "domains", "people", "users"]
