"""What the identity provider says of a person, read strictly: the same object in its events and in its API's answers.

Source: contract/organizations.md 1.1 and 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LONGEST_ID, LONGEST_EMAIL, LONGEST_NAME, LONGEST_USERNAME = 255, 254, 200, 150
_EARLIEST, _LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (1970, 2200))


class Incomplete(ValueError):
    """The object lacks what is needed, or holds what it cannot hold."""

    def __init__(self, field: str, problem: str) -> None:
        """Name the field by its path inside the object."""
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Account:
    """A person as the identity provider knows them at one moment."""

    id: str
    email: str
    is_verified: bool
    username: str | None
    name: str
    updated_at: datetime


def id_in(data: Any) -> str:
    """Return the account's id. Raises Incomplete."""
    value = data.get("id") if isinstance(data, Mapping) else None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise Incomplete("id", "the id of an account is expected")
    return value


def read(data: Any, *, otherwise: datetime, is_email: Callable[[str], bool]) -> Account:
    """Return the account that `data` describes; without `updated_at` it is as of `otherwise`.

    `is_email` judges an address of the right length.

    Raises Incomplete if the id or the primary e-mail is missing or unusable.
    """
    key = id_in(data)
    address = _primary(data)
    email = _text(address.get("email_address")).lower()
    if len(email) > LONGEST_EMAIL or not is_email(email):
        raise Incomplete("email_addresses", "an e-mail address is expected")
    verification = address.get("verification")
    return Account(
        id=key,
        email=email,
        is_verified=isinstance(verification, Mapping) and verification.get("status") == "verified",
        username=_text(data.get("username"))[:LONGEST_USERNAME] or None,
        name=_name(data) or email.partition("@")[0],
        updated_at=_moment(data.get("updated_at"), otherwise),
    )


def has_verified(data: Any, email: str) -> bool:
    """Tell whether the account in `data` has proven that `email`, primary or not, is its own."""
    return any(
        _text(address.get("email_address")).lower() == email
        and isinstance(address.get("verification"), Mapping)
        and address["verification"].get("status") == "verified"
        for address in _addresses(data)
    )


def parts_of(name: str) -> tuple[str, str]:
    """Return first and last name, which joined by a space give `name`; the last is empty for a single word."""
    words = name.split()
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (name.strip(), "")


def _addresses(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = data.get("email_addresses")
    return [address for address in listed if isinstance(address, Mapping)] if isinstance(listed, list) else []


def _primary(data: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = data.get("primary_email_address_id")
    for address in _addresses(data):
        if isinstance(wanted, str) and address.get("id") == wanted:
            return address
    raise Incomplete("primary_email_address_id", "a primary e-mail is expected")


def _name(data: Mapping[str, Any]) -> str:
    parts = (_text(data.get("first_name")), _text(data.get("last_name")))
    return " ".join(part for part in parts if part)[:LONGEST_NAME].strip()


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _moment(value: Any, otherwise: datetime) -> datetime:
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or not _EARLIEST <= value <= _LATEST:
        raise Incomplete("updated_at", "milliseconds since 1970 are expected")
    seconds, milliseconds = divmod(value, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
