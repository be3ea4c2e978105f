"""The ground floor in the back office: clinics, domains and keys, people with a login, who works where, webhooks."""

from apps.organizations.admin import clinics, deliveries, domains, people, users, webhooks

__all__ = ["clinics", "deliveries", "domains", "people", "users", "webhooks"]
