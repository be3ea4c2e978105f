"""What the visitor has chosen so far: a service, and one specialist or whoever is free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.profiles.models import Specialist
from apps.scheduling.models import AppointmentTemplate, Hold
from apps.scheduling.pages import wording
from apps.scheduling.pages.visits import Visit
from apps.scheduling.selectors.booking import BookableTemplate, bookable_templates
from apps.scheduling.selectors.offers import Offering, offering
from apps.scheduling.selectors.openings import Search
from restartix.kernel import wording as words
from restartix.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Choice:
    """A service of the clinic, who gives it, and the one whom the visitor wants, None for whoever is free."""

    visit: Visit
    service: BookableTemplate
    has_other_services: bool
    specialist: Specialist | None

    @property
    def template(self) -> AppointmentTemplate:
        """The service itself."""
        return self.service.template

    @property
    def has_other_specialists(self) -> bool:
        """Whether there is a choice of specialists."""
        return len(self.service.specialists) > 1

    @property
    def specialist_id(self) -> int | None:
        """The id of the one who is wanted."""
        return self.specialist.pk if self.specialist else None

    def offering(self) -> Offering:
        """Return the service with the hours of those who give it."""
        return offering(self.template.pk, now=self.visit.now, public_only=True)

    def search(self) -> Search:
        """Return the look-out for free times of this choice, by the clinic's own clock."""
        return Search(self.offering(), self.visit.organization.timezone, self.visit.now, self.specialist_id)

    def url(self, name: str, **query: Any) -> str:
        """Return the address of a page of this service; the specialist wanted goes along."""
        return self.visit.url(name, service=self.template.slug, query={"with": self.specialist_id, **query})

    def context(self, step: str) -> dict[str, Any]:
        """Return what the pages after the first show of the choice."""
        return {
            "service": service_card(self.visit, self.service),
            "specialist": self.specialist,
            "with": self.specialist_id or "",
            "steps": self._steps(step),
        }

    def _steps(self, present: str) -> list[dict[str, Any]]:
        """Return the steps of this booking, those without a choice left out, up to which one it is."""
        ways = {
            "service": (_("Service"), self.visit.url("services"), self.has_other_services),
            "specialist": (
                _("Specialist"),
                self.visit.url("specialists", service=self.template.slug),
                self.has_other_specialists,
            ),
            "time": (pgettext("a step of the booking", "Time"), self.url("times"), True),
            "details": (pgettext("a step of the booking", "Details"), "", True),
        }
        names = [name for name, (_label, _url, exists) in ways.items() if exists]
        now = names.index(present)
        return [
            {
                "label": ways[name][0],
                "url": ways[name][1] if i < now else "",
                "state": ("done", "now", "later")[(i >= now) + (i > now)],
            }
            for i, name in enumerate(names)
        ]


def chosen(visit: Visit, service: str, wanted: str | None = None) -> Choice:
    """Return the choice of a service by its slug and of a specialist by the id sent.

    Raises NotFound (404) if the service cannot be booked, or not with that specialist.
    """
    offered = bookable_templates(visit.organization, now=visit.now)
    found = next((each for each in offered if each.template.slug == service), None)
    if found is None:
        raise NotFound
    return Choice(visit, found, len(offered) > 1, _specialist(found, wanted))


def of_hold(visit: Visit, held: Hold, wanted: str | None) -> Choice:
    """Return the choice that a hold was made by; what the clinic has taken off the page since is still kept for it."""
    try:
        return chosen(visit, held.template.slug, wanted)
    except NotFound:
        return Choice(
            visit, BookableTemplate(held.template, (held.specialist,)), has_other_services=False, specialist=None
        )


def _specialist(service: BookableTemplate, wanted: str | None) -> Specialist | None:
    if not wanted:
        return None
    found = next((each for each in service.specialists if str(each.pk) == wanted), None)
    if found is None:
        raise NotFound
    return found


def service_card(visit: Visit, service: BookableTemplate) -> dict[str, Any]:
    """Return what is shown of a service."""
    template = service.template
    return {
        "name": template.name,
        "slug": template.slug,
        "description": template.description,
        "specialty": template.specialty.title if template.specialty else "",
        "duration": words.duration(template.duration_minutes),
        "price": words.price(template.price, template.currency, visit.language),
        "mode": template.mode,
        "mode_text": wording.mode(template.mode),
        "location": template.location if template.mode == "in_person" else "",
        "specialists": [str(each) for each in service.specialists],
        "url": visit.url("specialists", service=template.slug),
    }
