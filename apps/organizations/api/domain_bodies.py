"""What the operations of domains and integration keys take. Source: contract/organizations.md 1.4, 1.5, 2.3, 2.4."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.organizations.domain import hosts
from apps.organizations.models import DomainKind, Service
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body


class DomainName(fields.Text):
    """The name of a domain: in lower-case A-labels, without a final dot, none of the platform's own."""

    def __init__(self, **kwargs: Any) -> None:
        """Read a little more than is kept, for letters that A-labels write shorter, and the final dot."""
        super().__init__(max_length=2 * hosts.LONGEST, **kwargs)

    def check(self, text: str) -> Any:
        """Judge by `hosts.own_name`."""
        try:
            return hosts.own_name(text, base_domain=settings.PLATFORM_BASE_DOMAIN)
        except ValueError as error:
            return self.refuse(str(error))


class NewDomainBody(Body):
    """Which domain shall lead to the organization, and to which front end."""

    examples = {"domain": "portal.clinica-sud.example", "kind": "portal"}

    domain = DomainName()
    kind = fields.Choice(DomainKind)


class ApiKeyBody(Body):
    """A key for an outside service; it is never shown again."""

    examples = {"service": "daily", "title": "production", "api_key": "dk_live_0123456789ABCD"}

    service = fields.Choice(Service)
    title = fields.Text(max_length=100, allow_null=True, required=False)
    api_key = fields.Pattern(
        r"[!-~]{8,4096}", expected="8 to 4096 visible ASCII characters are expected", max_length=4096
    )
