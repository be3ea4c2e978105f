"""What the demo data offers a visitor: who may log in, with what, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from restartix.launch.steps import columns


def write_offer(offer: Mapping[str, Any], data_dir: Path, address: str) -> None:
    """Print the table of roles, logins, tokens and addresses; keep it whole in `demo.json`."""
    if offer:
        kept = data_dir / "demo.json"
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(offer, indent=2, ensure_ascii=False))
    for line in _lines(offer, data_dir, address):
        print(line)  # noqa: T201


def _lines(offer: Mapping[str, Any], data_dir: Path, address: str) -> Iterator[str]:
    logins: Sequence[Mapping[str, Any]] = offer.get("logins", [])
    if logins:
        yield ""
        yield from columns(logins, ["role", "organization", "name", "email", "password"])
        yield from _tokens(logins)
        yield f"\nAll of this, every token included: {data_dir / 'demo.json'}"
    pages = [(page, "booking page") for page in map(_page, offer.get("booking_pages", []))]
    yield ""
    for path, meaning in [*pages, ("/admin/", "back office"), ("/v1/docs", "API"), ("/healthz/ready", "health")]:
        yield f"  {path if path.startswith('http') else address + path}  {meaning}"
    yield ""


def _tokens(logins: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a session token a role, of the first organization: they are long."""
    first = next((login.get("organization") for login in logins if login.get("organization")), None)
    shown: set[str] = set()
    for login in logins:
        role = str(login.get("role", ""))
        if login.get("token") and role not in shown and login.get("organization") in (first, None, ""):
            shown.add(role)
            yield f"\nAuthorization: Bearer, {role}:\n{login['token']}"


def _page(page: Any) -> str:
    return str(page.get("url") or page.get("path") or "") if isinstance(page, Mapping) else str(page)
