"""The commands that make users and tokens."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.organizations.models import AuditEntry, User
from restartix.kernel.tenancy import Actor, across_organizations
from tests.client import Api
from tests.make import organizations as make

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


class TestCreateSuperadmin:
    def test_makes_one_and_prints_the_id(self):
        printed = run("create_superadmin", "--email", "Root@Example.org", "--name", "Root")

        user = User.objects.get(pk=int(printed))
        assert (user.email, user.name, user.is_superadmin, user.clerk_user_id) == (
            "root@example.org",
            "Root",
            True,
            None,
        )
        assert not user.has_usable_password()

    def test_promotes_an_existing_user_and_repeats_in_peace(self):
        user = make.user("Ana Pop")

        printed = [run("create_superadmin", "--email", "ana.pop@example.org") for _ in range(2)]

        assert printed == [f"{user.pk}\n"] * 2
        user.refresh_from_db()
        assert (user.is_superadmin, user.name) == (True, "Ana Pop")

    def test_leaves_an_audit_row_in_its_name(self):
        user_id = run("create_superadmin", "--email", "root@example.org").strip()

        with across_organizations(reason="test", actor=Actor.system("tests")):
            entry = AuditEntry.objects.get(entity_type="user", entity_id=user_id)
        assert (entry.action, entry.actor_type, entry.actor_id, entry.source) == (
            "CREATE", "system", "create_superadmin", "command",
        )  # fmt: skip
        assert entry.changes["password"] == {"old": None, "new": "***"}


class TestCreateUser:
    def test_makes_one_whom_no_identity_provider_knows_yet(self):
        made = json.loads(run("create_user", "--email", "dan@example.org", "--name", "Dan Lup", "--json"))

        user = User.objects.get(pk=made["id"])
        assert made == {"id": user.pk, "email": "dan@example.org", "name": "Dan Lup"}
        assert (user.clerk_user_id, user.confirmed, user.is_superadmin) == (None, False, False)

    def test_refuses_an_email_that_is_in_use(self):
        make.user("Ana Pop")

        with pytest.raises(CommandError, match="email"):
            run("create_user", "--email", "ANA.POP@example.org", "--name", "Ana")

    def test_refuses_what_is_no_email(self):
        with pytest.raises(CommandError):
            run("create_user", "--email", "dan", "--name", "Dan")


class TestIssueToken:
    def test_prints_a_token_alone_that_the_api_believes(self, cast):
        dan = make.user("Dan Lup", clerk_user_id=None)

        printed = run("issue_token", "--user", "dan.lup@example.org")

        dan.refresh_from_db()
        assert dan.clerk_user_id == f"dev_{dan.pk}"
        assert printed.count("\n") == 1
        assert Api(printed.strip()).get("/v1/me").data["id"] == dan.pk

    def test_leaves_the_identity_providers_name_of_the_user_alone(self, cast):
        run("issue_token", "--user", cast.ion.user.email)

        assert User.objects.get(pk=cast.ion.user.pk).clerk_user_id == cast.ion.user.clerk_user_id

    def test_checks_that_the_user_works_there(self, cast):
        made = json.loads(
            run("issue_token", "--user", "ion.admin@example.org", "--organization", "clinica-sud", "--json")
        )

        assert made["organization_id"] == cast.sud.pk
        assert run("issue_token", "--user", "root@example.org", "--organization", "clinica-nord")
        for organization in ("clinica-nord", "unknown"):
            with pytest.raises(CommandError):
                run("issue_token", "--user", "ion.admin@example.org", "--organization", organization)

    def test_refuses_unknown_users_and_nonsensical_times(self, cast):
        with pytest.raises(CommandError):
            run("issue_token", "--user", "nobody@example.org")
        with pytest.raises(CommandError):
            run("issue_token", "--user", "root@example.org", "--hours", "0")

    def test_is_refused_with_debug_off_and_then_changes_nothing(self, cast, settings):
        dan = make.user("Dan Lup", clerk_user_id=None)
        settings.DEBUG = settings.DEVELOPMENT_ISSUER = False

        with pytest.raises(CommandError):
            run("issue_token", "--user", dan.email)

        dan.refresh_from_db()
        assert dan.clerk_user_id is None
