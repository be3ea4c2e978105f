"""Who gets into the back office, and for how long."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.organizations.models import AuditEntry, Membership, Organization, User
from restartix.kernel.tenancy import across_organizations
from tests.client import forget_settings
from tests.make.organizations import SYSTEM, within

PASSWORD = "correct horse battery"


@pytest.fixture
def door(cast, settings):
    """Tries to sign in, from an address, and returns the answer."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a slow one is the point elsewhere

    def knock(email: str, password: str = PASSWORD, address: str = "203.0.113.1", **more: str):
        client = Client(REMOTE_ADDR=address, headers={"accept-language": "en"})
        answer = client.post("/admin/login/", {"username": email, "password": password, **more}, follow=True)
        forget_settings()
        answer.client_used = client
        return answer

    for user in User.objects.all():
        user.set_password(PASSWORD)
        user.save()
    return knock


class TestStaff:
    def test_enter_with_email_and_password_and_see_their_clinics_day(self, door):
        answer = door("Ion.Admin@example.org")

        assert answer.redirect_chain == [("/admin/", 302)]
        assert "Clinica Sud" in answer.content.decode()

    @pytest.mark.parametrize("email", ["ion.admin@example.org", "nobody@example.org"])
    def test_are_told_the_same_whether_the_email_or_the_password_is_wrong(self, door, email):
        answer = door(email, "wrong")

        assert "E-mail and password do not match." in answer.content.decode()

    def test_go_on_to_the_page_they_wanted(self, door):
        assert door("ion.admin@example.org", next="/admin/hours/").redirect_chain == [("/admin/hours/", 302)]

    def test_are_not_sent_to_another_site(self, door):
        assert door("ion.admin@example.org", next="https://evil.example/").redirect_chain == [("/admin/", 302)]

    def test_who_lose_their_role_are_out_on_the_next_request(self, door, cast):
        client = door("mara.stan@example.org").client_used
        assert client.get("/admin/scheduling/hold/").status_code == 200
        with within(cast.sud):
            Membership.objects.filter(user=cast.mara.user).update(role="patient")

        answer = client.get("/admin/scheduling/hold/", follow=True)

        assert "this account works in no clinic at present" in answer.content.decode()

    def test_of_a_suspended_clinic_are_out(self, door, cast):
        client = door("ion.admin@example.org").client_used
        Organization.objects.filter(pk=cast.sud.pk).update(status="suspended")

        assert client.get("/admin/").status_code == 302

    def test_who_are_blocked_are_out_on_the_next_request(self, door, cast):
        client = door("ion.admin@example.org").client_used
        User.objects.filter(pk=cast.ion.user.pk).update(blocked=True)

        assert client.get("/admin/").status_code == 302
        assert "E-mail and password do not match." in door("ion.admin@example.org").content.decode()

    def test_leave_by_the_button(self, door):
        client = door("ion.admin@example.org").client_used

        assert client.post("/admin/logout/").headers["Location"] == "/admin/login/"
        assert client.get("/admin/").status_code == 302


class TestOthers:
    def test_a_patient_does_not_enter_with_the_right_password(self, door):
        assert "does not work in any clinic" in door("ana.pop@example.org").content.decode()

    @pytest.mark.parametrize("path", ["/admin/", "/admin/scheduling/hold/", "/admin/hours/1/", "/admin/today/board/"])
    def test_a_stranger_is_shown_the_door(self, client, db, path):
        assert client.get(path).headers["Location"].startswith("/admin/login/?next=/admin/")


class TestTooManyFailures:
    def test_for_one_email_close_the_door_for_the_right_password_too(self, door):
        for number in range(10):
            door("ion.admin@example.org", "wrong", f"203.0.113.{number}")

        assert "Too many attempts" in door("ion.admin@example.org", address="203.0.113.99").content.decode()
        assert "Clinica Sud" in door("mara.stan@example.org", address="203.0.113.99").content.decode()

    def test_from_one_address_close_the_door_for_everybody_there(self, door):
        for number in range(10):
            door(f"guess{number}@example.org", "wrong")

        assert "Too many attempts" in door("ion.admin@example.org").content.decode()

    def test_are_not_counted_from_successes(self, door):
        for _ in range(12):
            answer = door("ion.admin@example.org")

        assert "Clinica Sud" in answer.content.decode()


def on_record(action):
    with across_organizations(reason="test", actor=SYSTEM):
        return list(AuditEntry.objects.filter(action=action).order_by("id"))


class TestTheRecord:
    def test_of_signing_in_names_who_from_where(self, door, cast):
        door("Ion.Admin@example.org", address="203.0.113.7")

        (entry,) = on_record("LOGIN")
        assert (entry.actor_type, entry.actor_id, entry.actor_name) == ("user", str(cast.ion.user.pk), "Ion Admin")
        assert (entry.entity_type, entry.entity_id, entry.organization_id) == ("user", str(cast.ion.user.pk), None)
        assert (str(entry.ip), entry.source, entry.path) == ("203.0.113.7", "admin", "/admin/login/")
        assert entry.changes == {"outcome": {"old": None, "new": "signed_in"}}

    def test_of_a_wrong_password_names_the_account_but_nobody_as_the_actor(self, door, cast):
        door("ion.admin@example.org", "wrong")
        door("nobody@example.org", "wrong")

        known, unknown = on_record("LOGIN")
        assert (known.actor_type, known.entity_id) == ("anonymous", str(cast.ion.user.pk))
        assert (unknown.actor_type, unknown.entity_id) == ("anonymous", None)
        for entry in (known, unknown):
            assert entry.changes == {"outcome": {"old": None, "new": "invalid_login"}}
            assert "nobody@example.org" not in str(vars(entry))
            assert "wrong" not in str(vars(entry))

    def test_of_somebody_who_works_nowhere_says_denied(self, door, cast):
        door("ana.pop@example.org")

        (entry,) = on_record("DENIED")
        assert (entry.actor_type, entry.actor_id) == ("user", str(cast.ana.user.pk))
        assert entry.changes == {"outcome": {"old": None, "new": "no_workplace"}}
        assert on_record("LOGIN") == []

    def test_ends_with_the_attempts_that_are_judged(self, door):
        for _ in range(14):
            door("ion.admin@example.org", "wrong")

        assert len(on_record("LOGIN")) == 10

    def test_of_a_page_that_is_not_for_ones_role_says_denied_at_most_ten_times_a_minute(self, door, cast):
        client = door("mara.stan@example.org").client_used
        answers = {client.get("/admin/organizations/user/").status_code for _ in range(12)}

        entries = on_record("DENIED")
        assert answers == {403}
        assert len(entries) == 10
        assert {(entry.actor_id, entry.organization_id) for entry in entries} == {(str(cast.mara.user.pk), cast.sud.pk)}
        assert entries[0].path == "/admin/organizations/user/"
