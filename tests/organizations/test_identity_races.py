"""Events of the identity provider that arrive at the same moment, on real connections."""

from __future__ import annotations

from collections import Counter

import pytest

from apps.organizations.models import IdentityEvent, User
from apps.organizations.services import accounts
from restartix.kernel.signatures import new_secret
from restartix.kernel.tenancy import outside_organizations
from tests.make.organizations import SYSTEM
from tests.organizations.provider import SECRET_KEY, Provider, account, send
from tests.organizations.test_races import at_once


@pytest.fixture
def secret(committed_db, settings):
    settings.CLERK_WEBHOOK_SECRET = [new_secret()]
    settings.RATE_LIMIT_PUBLIC = settings.RATE_LIMIT_USER
    return settings.CLERK_WEBHOOK_SECRET[0]


def _statuses(answers):
    assert {answer.status for answer in answers} == {200}, [answer.content for answer in answers]
    return Counter(answer.data["status"] for answer in answers)


def test_the_same_event_many_times_at_once_counts_once(secret):
    event = {"type": "user.created", "data": account("user_x", "x@example.org", "Xenia Pop")}

    answers = at_once(*[lambda: send(secret, event, key="msg_1") for _ in range(6)])

    assert _statuses(answers) == {"processed": 1, "duplicate": 5}
    assert User.objects.count() == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_of_many_events_of_one_account_at_once_the_newest_wins(secret, known):
    if known:
        send(secret, {"type": "user.created", "data": account("user_x", "x@example.org", "Name 0", at=0)})
    events = [
        {"type": "user.updated", "data": account("user_x", "x@example.org", f"Name {at}", at=at)} for at in range(1, 9)
    ]

    answers = at_once(*[lambda event=event: send(secret, event) for event in events])

    statuses = _statuses(answers)
    assert statuses["processed"] + statuses["ignored"] == 8
    assert User.objects.get().name == "Name 8"


def test_two_accounts_that_claim_one_email_at_once_do_not_both_get_it(secret):
    events = [{"type": "user.created", "data": account(f"user_{key}", "x@example.org")} for key in ("a", "b")]

    answers = at_once(*[lambda event=event: send(secret, event) for event in events])

    assert _statuses(answers) == {"processed": 1, "conflict": 1}
    assert User.objects.count() == 1


def test_a_deletion_among_other_events_is_final(secret):
    send(secret, {"type": "user.created", "data": account("user_x", "x@example.org")})
    events = [{"type": "user.deleted", "data": {"id": "user_x"}}] + [
        {"type": "user.updated", "data": account("user_x", "x@example.org", f"N {at}", at=at)} for at in range(1, 5)
    ]

    _statuses(at_once(*[lambda event=event: send(secret, event) for event in events]))

    user = User.objects.get()
    assert user.blocked
    assert user.deleted_at is not None
    assert IdentityEvent.objects.count() == 6


def _create_account():
    with outside_organizations(actor=SYSTEM):
        return accounts.create_account(email="ana@example.org", name="Ana Pop", by=SYSTEM)


def test_an_account_that_several_make_at_once_is_one(committed_db):
    made = at_once(*[_create_account for _ in range(4)])

    assert {user.pk for user in made} == {User.objects.get().pk}


def test_an_account_that_several_make_at_the_provider_at_once_is_one(committed_db, settings):
    clerk = Provider()
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = clerk.url, SECRET_KEY
    settings.DEVELOPMENT_ISSUER, settings.CLERK_WEBHOOK_SECRET = False, [clerk.secret]
    try:
        made = at_once(*[_create_account for _ in range(4)])
        event = {"type": "user.created", "data": clerk.accounts[0]}
        assert send(clerk.secret, event).data["status"] == "ignored"
    finally:
        clerk.close()

    assert len(clerk.accounts) == 1
    assert {user.pk for user in made} == {User.objects.get().pk}
    assert User.objects.get().clerk_user_id == clerk.accounts[0]["id"]
