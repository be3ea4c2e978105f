"""Path converters: what may stand for an id in a path; anything else is an unknown path (404)."""

from __future__ import annotations

from uuid import UUID

from django.urls import register_converter

BIGGEST_ID = 2**63 - 1


class IdConverter:
    """A 64-bit primary key in canonical decimal: no sign, no leading zero, ASCII digits only."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        """Read the number; beyond 64 bits there is no such resource."""
        number = int(value)
        if number > BIGGEST_ID:
            raise ValueError(value)
        return number

    def to_url(self, value: int) -> str:
        """Write the number."""
        return str(value)


class UidConverter:
    """A UUID in its canonical form, letters in either case."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        """Read the UUID."""
        return UUID(value)

    def to_url(self, value: UUID | str) -> str:
        """Write the UUID in lower case."""
        return str(value).lower()


class NameConverter:
    """A short code such as the name of a service."""

    regex = "[A-Za-z0-9_-]{1,64}"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Write it as it is."""
        return value


def register() -> None:
    """Make `<id:...>`, `<uid:...>` and `<name:...>` known to Django's paths; importing this module does it."""
    register_converter(IdConverter, "id")
    register_converter(UidConverter, "uid")
    register_converter(NameConverter, "name")


register()
