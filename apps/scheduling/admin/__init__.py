"""Scheduling in the back office: the day's board, appointments, what is offered and when, what is held."""

from apps.scheduling.admin import appointments, finding, hours, offers, taken, today, trays, visits_of_patient

__all__ = ["appointments", "finding", "hours", "offers", "taken", "today", "trays", "visits_of_patient"]
