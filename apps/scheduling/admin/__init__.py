"""Scheduling in the back office: the day's board, appointments, what is offered and when, what is held."""

from apps.scheduling.admin import appointments, hours, offers, taken, today, visits_of_patient

__all__ = ["appointments", "hours", "offers", "taken", "today", "visits_of_patient"]
