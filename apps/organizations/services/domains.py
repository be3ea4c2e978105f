"""Domains of a clinic's own: claimed, proven by a TXT record, given up. Source: contract/organizations.md 1.4, 2.3."""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext

from apps.organizations.domain import hosts
from apps.organizations.errors import DomainNotVerified, DomainTaken, LimitReached
from apps.organizations.facts import DomainLost
from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import Domain
from apps.organizations.models.domains import DomainError
from apps.organizations.selectors.hosts import is_verified
from apps.organizations.services import facts, memberships, records
from apps.organizations.services.letters import Words
from apps.organizations.services.records import Seen
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid, NotFound, refusing
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Actor, active_organization_id
from restartix.kernel.transactions import joins_transaction

#: Domains of one organization.
MOST = 20
#: What is kept of the values that a check saw: so many, each so long.
MOST_FOUND, LONGEST_FOUND = 10, 255
#: Daily checks in a row that a verified domain may not pass before it is taken down.
TOLERATED_CHECKS = 3


@transaction.atomic
def claim(*, by: Actor, domain: str, kind: str) -> Domain:
    """Write down that `domain` shall lead to the active organization, with a new record value; locks the organization.

    Raises Invalid (422) for what is no domain, AlreadyTaken (409) if the organization has it already, DomainTaken (409)
    if another one has verified it, LimitReached (409) beyond 20.
    """
    try:
        name = hosts.own_name(domain, base_domain=settings.PLATFORM_BASE_DOMAIN)
    except ValueError as error:
        raise Invalid({"domain": [str(error)]}) from error
    memberships.lock(active_organization_id())
    if Domain.objects.filter(domain=name).exists():
        raise AlreadyTaken("domain")
    if is_verified(name):
        raise DomainTaken
    if Domain.objects.count() >= MOST:
        raise LimitReached
    value = f"restartix-verify={secrets.token_hex(16)}"
    return Domain.objects.create(domain=name, kind=kind, record_value=value)


@transaction.atomic
def give_up(domain: Domain, *, by: Actor) -> None:
    """Remove the domain: it leads to the clinic no longer, from now on."""
    domain.delete()


Verdict = Domain | DomainNotVerified | DomainTaken


def verify(domain: Domain, *, by: Actor) -> Outside[Seen]:
    """Look for the domain's TXT record after the commit, and write down what was seen: gives the verdict of `judge`.

    No transaction is open while the DNS is asked; if it does not answer, NoDns (503) is raised and nothing written.
    """
    return Outside(partial(records.texts_at, domain.record_name), answer=partial(judge, domain.pk))


@joins_transaction
def judge(domain_id: int, seen: Seen) -> Verdict:
    """Write down a check of the domain, holding the row, and return what it is now.

    A refusal is returned, not raised, because the check stays on record: DomainNotVerified (409) if the record is not
    there, which never takes a verified domain down; DomainTaken (409) if another organization has verified the domain.
    Raises NotFound (404) if it was removed meanwhile.
    """
    domain = _held(domain_id)
    problem = problem_of(domain, seen)
    if problem is None:
        return _verified(domain, seen)
    if domain.status != DomainStatus.VERIFIED:
        domain.status = DomainStatus.FAILED
    _write_down(domain, seen, problem)
    return _not_verified(domain)


def _verified(domain: Domain, seen: Seen) -> Verdict:
    if domain.status != DomainStatus.VERIFIED:
        domain.status, domain.verified_at = DomainStatus.VERIFIED, clock.now()
    domain.failed_checks = 0
    try:
        with refusing(domain_verified_once=DomainTaken):
            _write_down(domain, seen, None)
    except DomainTaken as taken:
        domain.refresh_from_db()
        _write_down(domain, seen, domain.last_error)
        return taken
    return domain


@joins_transaction
def recheck(domain_id: int, *, seen: Seen, last_checked_at: datetime | None) -> bool:
    """Write down a daily check of a verified domain of the active organization, and say whether it counted.

    It does not where the domain was checked, or removed, since `last_checked_at`. The third check in a row that is not
    passed takes the domain down and announces it.
    """
    rows = Domain.objects.select_for_update(no_key=True)
    domain = rows.filter(pk=domain_id, status=DomainStatus.VERIFIED, last_checked_at=last_checked_at).first()
    if domain is None:
        return False
    problem = problem_of(domain, seen)
    domain.failed_checks = 0 if problem is None else domain.failed_checks + 1
    if domain.failed_checks >= TOLERATED_CHECKS:
        domain.status = DomainStatus.FAILED
        facts.record(DomainLost(domain_id=domain.pk))
    _write_down(domain, seen, problem)
    return True


def problem_of(domain: Domain, seen: Seen) -> DomainError | None:
    """Return why what was seen does not prove the domain, None if it does: any one of several values may match."""
    if domain.record_value in seen.texts:
        return None
    if not seen.exists:
        return DomainError.NXDOMAIN
    return DomainError.RECORD_MISMATCH if seen.texts else DomainError.RECORD_MISSING


def words_on_loss(domain: Domain) -> Words:
    """Return what the admins are told of a domain that was taken down."""
    path = reverse("admin:organizations_domain_change", args=[domain.pk])
    return Words(
        subject=gettext("The domain {domain} no longer leads to your clinic").format(domain=domain.domain),
        paragraphs=(
            gettext(
                "Three daily checks in a row did not find the record that proves {domain} is yours. "
                "Until it is found again, patients who open that address do not reach your clinic."
            ).format(domain=domain.domain),
            gettext("Publish this record at your domain provider:"),
            f"TXT  {domain.record_name}\n{domain.record_value}",
            gettext("Then have the domain verified again in the back office."),
        ),
        action=(gettext("Open the domain"), settings.PUBLIC_URL + path),
    )


def _held(domain_id: int) -> Domain:
    """Return the row as it is now, locked until the transaction ends. Raises NotFound (404)."""
    held = Domain.objects.select_for_update(no_key=True).filter(pk=domain_id).first()
    if held is None:
        raise NotFound
    return held


def _write_down(domain: Domain, seen: Seen, problem: str | None) -> None:
    domain.last_checked_at, domain.last_error = clock.now(), problem
    domain.found = [_printable(text)[:LONGEST_FOUND] for text in seen.texts[:MOST_FOUND]]
    domain.save()


def _printable(text: str) -> str:
    """Replace what neither a page nor the database can show."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _not_verified(domain: Domain) -> DomainNotVerified:
    is_mismatch = domain.last_error == DomainError.RECORD_MISMATCH
    return DomainNotVerified(
        "The TXT record has another value." if is_mismatch else None,
        details={
            "record_name": domain.record_name,
            "record_value": domain.record_value,
            "found": domain.found,
            "last_error": domain.last_error,
        },
    )
