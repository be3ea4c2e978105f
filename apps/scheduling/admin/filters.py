"""What lists of appointments are narrowed by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.attention import not_over, soon
from restartix.kernel import clock
from restartix.kernel.admin.lists import ChoiceOfRows


class SpecialistFilter(ChoiceOfRows):
    """Appointments of one specialist."""

    title, parameter_name = _("specialist"), "specialist"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's specialists."""
        return Specialist.objects.alive().order_by("name")


class WhenFilter(admin.SimpleListFilter):
    """Appointments by their day on the clinic's calendar."""

    title, parameter_name = _("date"), "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer what the desk asks for."""
        return [
            ("today", _("Today")),
            ("tomorrow", _("Tomorrow")),
            ("week", _("Next seven days")),
            ("past", _("Before today")),
            ("soon", _("From now, seven days")),
            ("open", _("Not over yet")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep those that start on the chosen days."""
        now = clock.now()
        today = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        days = {"today": (0, 1), "tomorrow": (1, 2), "week": (0, 7)}
        chosen = self.value() or ""
        if chosen in ("soon", "open"):
            return queryset.filter(soon(now) if chosen == "soon" else not_over(now))
        if chosen == "past":
            return queryset.filter(started_at__lt=today)
        if chosen not in days:
            return queryset
        first, last = (today + timedelta(days=number) for number in days[chosen])
        return queryset.filter(started_at__gte=first, started_at__lt=last)


class TemplateFilter(ChoiceOfRows):
    """Appointments of one template."""

    title, parameter_name = _("appointment template"), "appointment_template"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's templates."""
        return AppointmentTemplate.objects.alive().order_by("name")
