"""Users and the identity provider's events in the back office: for superadmins, over all clinics."""

from __future__ import annotations

import pytest

from apps.organizations.models import AuditEntry, IdentityEvent, User
from restartix.kernel.tenancy import across_organizations
from tests.make.organizations import SYSTEM

USERS, EVENTS = "/admin/organizations/user/", "/admin/organizations/identityevent/"


class TestUsers:
    @pytest.mark.parametrize("clinic", ["sud", None])
    def test_are_listed_with_their_memberships_everywhere(self, office, cast, clinic):
        page = office(cast.root, getattr(cast, clinic) if clinic else None).get(f"{USERS}?q=vera")

        assert page.status == 200
        row = page.html.split("Vera Dinu", 1)[1].split("</tr>", 1)[0]
        assert ">2<" in row

    def test_are_filtered_by_any_clinic(self, office, cast):
        page = office(cast.root, cast.sud).get(f"{USERS}?organization={cast.nord.pk}").html

        assert "Nora Admin" in page
        assert "Ion Admin" not in page.split("<main", 1)[-1].split("result_list", 1)[-1]

    def test_are_blocked_and_let_in_again_on_record(self, office, cast):
        root = office(cast.root)
        query = f"ids={cast.ana.user.pk}"
        assert "turned away everywhere" in root.get(f"{USERS}moves/block/?{query}").html

        root.post(f"{USERS}moves/block/?{query}", {})
        assert User.objects.get(pk=cast.ana.user.pk).blocked is True
        root.post(USERS, {"action": "unblock", "_selected_action": [cast.ana.user.pk], "index": 0})
        assert User.objects.get(pk=cast.ana.user.pk).blocked is False

        with across_organizations(reason="test", actor=SYSTEM):
            rows = AuditEntry.objects.filter(entity_type="user", entity_id=str(cast.ana.user.pk), source="admin")
            changes = [row.changes["blocked"]["new"] for row in rows.order_by("id")]
            assert {row.actor_id for row in rows} == {str(cast.root.user.pk)}
        assert changes == [True, False]
        assert "Root" in root.get(f"{USERS}{cast.ana.user.pk}/history/").html

    def test_do_not_block_themselves(self, office, cast):
        root = office(cast.root)

        root.post(f"{USERS}moves/block/?ids={cast.root.user.pk}", {})

        assert User.objects.get(pk=cast.root.user.pk).blocked is False

    def test_are_neither_made_nor_changed_nor_deleted_here(self, office, cast):
        root = office(cast.root)
        path = f"{USERS}{cast.ana.user.pk}/"

        assert root.get(f"{path}change/").status == 200
        assert root.get(f"{USERS}add/").status == 403
        assert root.get(f"{path}delete/").status == 403
        assert root.post(f"{path}change/", {"name": "X"}).status == 403

    def test_are_nobody_elses(self, office, cast):
        for person in (cast.ion, cast.sara, cast.mara):
            for path in (USERS, f"{USERS}{cast.ana.user.pk}/change/", f"{USERS}{cast.ana.user.pk}/history/", EVENTS):
                assert office(person, cast.sud).get(path).status in {403, 404}


class TestIdentityEvents:
    @pytest.fixture
    def events(self, cast):
        IdentityEvent.objects.create(svix_id="msg_1", type="user.created", subject="user_x", outcome="processed")
        IdentityEvent.objects.create(svix_id="msg_2", type="user.updated", subject="user_x", outcome="conflict")

    def test_are_listed_and_filtered(self, office, cast, events):
        root = office(cast.root)

        everything = root.get(EVENTS).html
        conflicts = root.get(f"{EVENTS}?outcome__exact=conflict").html
        created = root.get(f"{EVENTS}?type=user.created").html

        assert all(text in everything for text in ("msg_1", "msg_2", "user.created", "user.updated"))
        assert ("msg_1" in conflicts, "msg_2" in conflicts) == (False, True)
        assert ("msg_1" in created, "msg_2" in created) == (True, False)

    def test_are_read_only(self, office, cast, events):
        key = IdentityEvent.objects.get(svix_id="msg_1").pk
        root = office(cast.root)

        assert "user_x" in root.get(f"{EVENTS}{key}/change/").html
        for path in ("add/", f"{key}/delete/"):
            assert root.get(f"{EVENTS}{path}").status == 403
        assert root.post(f"{EVENTS}{key}/change/", {"outcome": "processed"}).status == 403
