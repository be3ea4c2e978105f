"""Somebody who books through the pages, without script: follows links, sends forms, and keeps no cookie."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from django.test import Client

from apps.scheduling.models import Hold
from restartix.kernel.tenancy import acting_for
from tests.scheduling.world import BUILDER, Clinic, z

CONTACT = {"name": "Maria Ionescu", "email": "Maria@Example.org", "phone": "0721 000 111"}
FILLED = {**CONTACT, "agree_privacy_policy": "on"}


class Browser:
    """Somebody who follows links and sends forms, and keeps no cookie because none is ever set."""

    def __init__(self, clinic: Clinic, **headers: str) -> None:
        self.client = Client(headers={"accept-language": "ro", **headers})
        self.home = f"/book/{clinic.organization.slug}/"

    def get(self, path: str = "", **query: str) -> Any:
        return self._checked(self.client.get(self.home + path, query))

    def post(self, path: str, **data: str) -> Any:
        return self._checked(self.client.post(self.home + path, data))

    def follow(self, answer: Any) -> Any:
        assert answer.status_code == 303, answer.content
        return self._checked(self.client.get(answer["Location"]))

    def _checked(self, answer: Any) -> Any:
        assert not answer.cookies
        answer.text = unescape(answer.content.decode())
        return answer

    def keep(self, start: datetime, service: str = "t60", **more: str) -> dict[str, str]:
        """Choose a time and return what the details form carries hidden."""
        answer = self.post(f"{service}/hold/", start=z(start), **more)
        assert answer.status_code == 200, answer.text
        return hidden(answer, "details")


def hidden(answer: Any, form: str) -> dict[str, str]:
    """What a form of the page carries hidden."""
    (part,) = re.findall(rf'<form id="{form}".*?</form>', answer.text, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', part))


def times(answer: Any) -> list[str]:
    """The starts that the page offers."""
    return re.findall(r'name="start" value="([^"]+)" data-start', answer.text)


def rows(clinic: Clinic, model: Any) -> list[Any]:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return list(model.objects.order_by("id"))


def lapse(clinic: Clinic) -> None:
    """Let all holds of the clinic have lapsed."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        Hold.objects.update(created_at=past - timedelta(seconds=300), expires_at=past)
