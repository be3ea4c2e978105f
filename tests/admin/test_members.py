"""Members and invitations in the back office of a clinic."""

from __future__ import annotations

import pytest
from django.core import mail

from apps.organizations.models import Fact, Membership, User
from apps.organizations.services import invitations
from tests.make import organizations as make
from tests.make.organizations import within


@pytest.fixture
def ion(cast, office):
    """An admin of the clinic at work."""
    return office(cast.ion)


def invite(browser, **values):
    return browser.post("/admin/organizations/membership/add/", values)


def letters_of(clinic):
    """Send what the facts of the clinic ask for, and return the letters."""
    with within(clinic):
        for fact in Fact.objects.filter(name="internal.member_invited"):
            invitations.tell(fact.payload["membership_id"], key=fact.event_id)
    return mail.outbox


class TestInviting:
    def test_somebody_unknown_makes_a_user_whom_the_first_sign_in_finds(self, ion, cast):
        page = invite(ion, email="New.Colleague@example.org", name="New Colleague", role="specialist")

        assert page.messages[0].startswith("success")
        user = User.objects.get(email="new.colleague@example.org")
        assert (user.name, user.clerk_user_id) == ("New Colleague", None)
        assert not user.has_usable_password()
        with within(cast.sud):
            assert Membership.objects.get(user=user).role == "specialist"

    def test_writes_where_to_sign_in(self, ion, cast, settings):
        invite(ion, email="new.colleague@example.org", role="admin")

        (letter,) = letters_of(cast.sud)
        assert letter.to == ["new.colleague@example.org"]
        assert settings.PUBLIC_URL in letter.body

    def test_somebody_with_a_login_connects_them(self, ion, cast):
        known = make.user("Known Person")

        invite(ion, email=known.email, role="customer_support")

        with within(cast.sud):
            assert Membership.objects.get(user=known).role == "customer_support"
        assert User.objects.filter(email=known.email).count() == 1

    def test_a_member_again_sends_no_second_letter(self, ion, cast):
        invite(ion, email=cast.mara.user.email, role="customer_support")

        assert letters_of(cast.sud) == []

    def test_a_member_in_another_role_is_refused_in_words(self, ion, cast):
        page = invite(ion, email=cast.mara.user.email, role="admin")

        assert page.messages == []
        with within(cast.sud):
            assert Membership.objects.get(user=cast.mara.user).role == "customer_support"

    def test_a_blocked_person_is_refused(self, ion):
        blocked = make.user("Blocked Person", blocked=True)

        page = invite(ion, email=blocked.email, role="admin")

        assert 'id="id_email_error"' in page.html

    def test_is_for_admins(self, office, cast):
        assert invite(office(cast.mara), email="x@example.org", role="admin").status == 403
        assert not User.objects.filter(email="x@example.org").exists()


class TestMembers:
    def test_shows_who_has_not_come_yet(self, ion):
        invite(ion, email="new.colleague@example.org", role="specialist")

        assert "new.colleague@example.org" in ion.get("/admin/organizations/membership/", arrived="no").text
        assert "Invited" in ion.get("/admin/organizations/membership/", q="new.colleague").text

    def test_keeps_its_last_admin_and_says_what_to_do(self, cast, office):
        root = office(cast.root, cast.sud)
        with within(cast.sud):
            ion = Membership.objects.get(user=cast.ion.user)
            vera = Membership.objects.get(user=cast.vera.user)
        root.post(f"/admin/organizations/membership/moves/disable/?ids={vera.pk}")

        page = root.post(f"/admin/organizations/membership/moves/disable/?ids={ion.pk}")

        assert "Ion Admin is the only active admin here" in " ".join(page.messages)
        page = root.post(
            f"/admin/organizations/membership/{ion.pk}/change/",
            root.get(f"/admin/organizations/membership/{ion.pk}/change/").filled(role="specialist"),
        )
        assert "make somebody else an admin first" in page.text

    def test_are_disabled_and_enabled(self, ion, cast):
        with within(cast.sud):
            mara = Membership.objects.get(user=cast.mara.user)

        ion.post(f"/admin/organizations/membership/moves/disable/?ids={mara.pk}")
        with within(cast.sud):
            assert Membership.objects.get(pk=mara.pk).status == "disabled"
        ion.post(f"/admin/organizations/membership/moves/enable/?ids={mara.pk}")
        with within(cast.sud):
            assert Membership.objects.get(pk=mara.pk).status == "active"
