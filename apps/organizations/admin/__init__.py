"""The ground floor in the back office: clinics, people with a login, and who works where."""

from apps.organizations.admin import clinics, people, users

__all__ = ["clinics", "people", "users"]
