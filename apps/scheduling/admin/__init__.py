"""Scheduling in the back office: the day's board, appointments, what is offered and when, what is held."""

from apps.scheduling.admin import (
    appointments,
    calendar_address,
    day_list,
    explaining,
    finding,
    hours,
    my_day,
    offers,
    taken,
    taking_in,
    today,
    trays,
    visits,
    visits_of_patient,
    waiting,
    week,
)

__all__ = [
    "appointments",
    "calendar_address",
    "day_list",
    "explaining",
    "finding",
    "hours",
    "my_day",
    "offers",
    "taken",
    "taking_in",
    "today",
    "trays",
    "visits",
    "visits_of_patient",
    "waiting",
    "week",
]
