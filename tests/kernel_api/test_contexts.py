"""The organization of a request, the roles in it, and the order in which a request is judged."""

import pytest

from restartix.kernel.api.resources import Resource
from restartix.kernel.roles import ADMINS
from tests.kernel_api.conftest import Api, error_of

VALID = {"title": "Knee", "slug": "knee"}


def status_of(answer, *details):
    assert not details or error_of(answer)["details"] == details[0]
    return answer.status_code


class TestTheHeader:
    def test_chooses_among_the_users_organizations(self, world, api):
        ours, theirs = world.thing("Ours", "ours"), world.thing("Theirs", "theirs", world.north)
        vera = api("vera")
        for clinic, thing in ((world.south, ours), (world.north, theirs)):
            found = vera.get("/v1/things", x_organization_id=str(clinic.pk)).json()["data"]
            assert [each["id"] for each in found] == [thing.pk]

    def test_without_it_the_current_organization_counts(self, world, api):
        world.thing("Theirs", "theirs", world.north)
        world.change(world.people["vera"], current_organization=world.north)
        assert [each["slug"] for each in api("vera").get("/v1/things").json()["data"]] == ["theirs"]

    @pytest.mark.parametrize(
        "value", ["abc", "", "7.0", "7,8", "-1", "0", "٧", "99999999999999999999", "1\x00", "[7]", "07"]
    )
    def test_that_is_no_id_is_invalid(self, ion, value):
        answer = ion.get("/v1/things", x_organization_id=value)
        assert (answer.status_code, error_of(answer)["details"]["field"]) == (422, "X-Organization-ID")

    def test_of_a_foreign_or_unknown_organization_is_forbidden(self, world, ion):
        for value in (world.north.pk, 999_999):
            assert status_of(ion.get("/v1/things", x_organization_id=str(value))) == 403
            assert status_of(ion.get("/v1/me", x_organization_id=str(value))) == 403

    def test_is_not_looked_at_where_the_operation_ignores_it(self, world, ion):
        assert ion.put("/v1/me/switch", x_organization_id="abc").json() == {"data": {"organization": world.south.pk}}


class TestWithoutAnOrganization:
    def test_nobody_gets_on_but_where_none_is_needed(self, world, api):
        nora = api("nora")
        answer = nora.get("/v1/things")
        assert (answer.status_code, error_of(answer)["code"]) == (400, "organization_required")
        assert nora.get("/v1/me").json()["data"]["organization"] is None

    def test_a_superadmin_sees_every_organization(self, world, api):
        ours, theirs = world.thing("Ours", "ours"), world.thing("Theirs", "theirs", world.north)
        root = api("root")
        assert {each["id"] for each in root.get("/v1/things").json()["data"]} == {ours.pk, theirs.pk}
        narrowed = root.get("/v1/things", x_organization_id=str(world.north.pk)).json()["data"]
        assert [each["id"] for each in narrowed] == [theirs.pk]
        assert root.get(f"/v1/things/{ours.pk}", x_organization_id=str(world.north.pk)).status_code == 404

    def test_a_superadmin_must_say_where_a_new_row_belongs(self, world, api):
        root = api("root")
        assert error_of(root.post("/v1/things", VALID))["code"] == "organization_required"
        made = root.post("/v1/things", VALID, x_organization_id=str(world.north.pk))
        assert made.json()["data"]["organization_id"] == world.north.pk

    def test_a_superadmin_changes_a_row_in_its_own_organization(self, world, api):
        thing = world.thing()
        assert api("root").put(f"/v1/things/{thing.pk}", {"title": "New"}).json()["data"]["title"] == "New"
        assert api("root").delete(f"/v1/things/{thing.pk}").status_code == 204
        assert world.things() == []

    def test_one_request_leaves_nothing_to_the_next(self, world, api):
        world.thing("Theirs", "theirs", world.north)
        assert len(api("root").get("/v1/things").json()["data"]) == 1
        assert api("ion").get("/v1/things").json()["data"] == []


class TestAMember:
    def test_who_is_disabled_is_none_from_the_next_request_on(self, world, api):
        from apps.organizations.models import Membership
        from restartix.kernel.tenancy import acting_for
        from tests.kernel_api.world import SYSTEM

        ana = api("ana")
        assert ana.get("/v1/things").status_code == 200
        with acting_for(world.south.pk, actor=SYSTEM):
            Membership.objects.filter(user=world.people["ana"]).update(status="disabled")
        assert ana.get("/v1/things", x_organization_id=str(world.south.pk)).status_code == 403
        assert error_of(ana.get("/v1/things"))["code"] == "organization_required"
        assert ana.get("/v1/me").json()["data"]["organization"] is None

    def test_who_is_blocked_is_forbidden_everywhere(self, world, api):
        world.change(world.people["ion"], blocked=True)
        thing = world.thing()
        for path in ("/v1/things", "/v1/me", f"/v1/public/things/{thing.pk}", f"/v1/clinics/{world.south.pk}"):
            assert status_of(api("ion").get(path), {"reason": "user_blocked"}) == 403

    def test_of_a_suspended_organization_gets_nothing_but_what_is_their_own(self, world, api):
        world.change(world.south, status="suspended")
        for path in ("/v1/things", f"/v1/clinics/{world.south.pk}"):
            assert status_of(api("ion").get(path), {"reason": "organization_suspended"}) == 403
        assert api("ion").get("/v1/me").status_code == 200
        assert api("root").get("/v1/things", x_organization_id=str(world.south.pk)).status_code == 200


class TestTheOrganizationInThePath:
    def test_is_the_context(self, world, api):
        assert api("vera").get(f"/v1/clinics/{world.north.pk}").json()["data"] == {
            "id": world.north.pk,
            "role": "admin",
        }
        assert api("root").get(f"/v1/clinics/{world.north.pk}").json()["data"]["role"] == "superadmin"

    def test_is_not_found_by_strangers(self, world, ion):
        for path in (f"/v1/clinics/{world.north.pk}", "/v1/clinics/999999"):
            assert ion.get(path).status_code == 404

    def test_must_be_that_of_the_header_if_there_is_one(self, world, api):
        path = f"/v1/clinics/{world.north.pk}"
        assert api("vera").get(path, x_organization_id=str(world.north.pk)).status_code == 200
        assert api("vera").get(path, x_organization_id=str(world.south.pk)).status_code == 404
        assert api("vera").get(path, x_organization_id="abc").status_code == 422


class TestAPublicOperation:
    def test_takes_the_organization_of_the_resource_named(self, world, api):
        thing = world.thing("Theirs", "theirs", world.north)
        assert api().get(f"/v1/public/things/{thing.pk}").json()["data"]["title"] == "Theirs"
        assert api().post("/v1/public/things", {"thing_id": thing.pk}).status_code == 201

    def test_takes_the_header_as_a_further_restriction(self, world, api):
        thing = world.thing()
        path = f"/v1/public/things/{thing.pk}"
        assert api().get(path, x_organization_id=str(world.south.pk)).status_code == 200
        assert api().get(path, x_organization_id=str(world.north.pk)).status_code == 404
        assert api().get(path, x_organization_id="abc").status_code == 422

    def test_does_not_find_what_is_not_there_or_suspended(self, world, api):
        thing = world.thing()
        unknown = api().get("/v1/public/things/999999")
        world.change(world.south, status="suspended")
        suspended = api().get(f"/v1/public/things/{thing.pk}")
        assert unknown.status_code == suspended.status_code == 404
        assert {**error_of(unknown), "request_id": ""} == {**error_of(suspended), "request_id": ""}

    def test_names_what_is_wrong_with_a_body_that_names_nothing(self, api):
        answer = api().post("/v1/public/things", {"thing_id": "x"})
        assert (answer.status_code, error_of(answer)["details"]["field"]) == (422, "thing_id")

    def test_may_go_on_without_an_organization(self, api):
        assert api().get("/v1/public/nowhere").json()["data"] == {"organization": None}
        assert api("ion").get("/v1/public/nowhere").json()["data"] == {"organization": None}

    def test_of_somebody_who_is_no_member_there_gives_them_no_role(self, world, api):
        thing = world.thing("Theirs", "theirs", world.north)
        assert api("ion").get(f"/v1/public/things/{thing.pk}").json()["data"] == {
            "title": "Theirs",
            "caller": "user",
            "role": None,
        }


class TestTheOrderOfChecks:
    def test_a_row_that_is_not_visible_comes_before_the_role(self, world, api):
        foreign = world.thing("Theirs", "theirs", world.north)
        hidden, seen = world.thing("Hidden", "hidden"), world.thing("Seen", "seen")
        ana = api("ana")
        for row in (foreign.pk, hidden.pk, 999_999):
            assert ana.put(f"/v1/things/{row}", {"nmae": 1}, if_match='"x"').status_code == 404
        assert ana.put(f"/v1/things/{seen.pk}", {"nmae": 1}, if_match='"x"').status_code == 403

    def test_the_role_comes_before_the_precondition_and_that_before_the_body(self, world, ion):
        seen = world.thing("Seen", "seen")
        assert ion.put(f"/v1/things/{seen.pk}", {"nmae": 1}, if_match='"x"').status_code == 412
        assert ion.put(f"/v1/things/{seen.pk}", {"nmae": 1}).status_code == 422

    def test_an_operation_without_a_row_judges_the_role_first(self, api):
        assert api("ana").post("/v1/things", {"nmae": 1}).status_code == 403
        assert api("sara").send("POST", "/v1/things", raw=b"{").status_code == 403
        assert api("ion").post("/v1/things", {"nmae": 1}).status_code == 422

    def test_the_token_comes_before_everything(self, world, api):
        assert api().post("/v1/things", {"nmae": 1}, x_organization_id="abc").status_code == 401
        assert api().put(f"/v1/things/{world.thing().pk}", x_organization_id="abc").status_code == 401

    def test_the_body_comes_before_the_state(self, world, ion):
        world.thing("Knee", "knee")
        assert ion.post("/v1/things", {"title": "", "slug": "knee"}).status_code == 422
        assert ion.post("/v1/things", VALID).status_code == 409

    def test_foreign_and_absent_are_told_in_the_same_bytes(self, world, ion):
        foreign = world.thing("Theirs", "theirs", world.north)
        one, other = (ion.get(f"/v1/things/{row}", x_request_id="same").content for row in (foreign.pk, 999_999))
        assert one == other


class TestAResource:
    def test_cannot_route_an_operation_that_nobody_may(self):
        class Forgotten(Resource):
            may = {"list": ADMINS}

        with pytest.raises(TypeError, match="may"):
            Forgotten.as_view({"get": "retrieve"})
        with pytest.raises(TypeError, match="does not have"):
            Forgotten.as_view({"post": "create"})

    def test_cannot_ask_for_what_nobody_can_give(self):
        class Wishful(Resource):
            may = {"list": ADMINS}

            def list(self, **anything):
                return anything

        with pytest.raises(TypeError, match="name what it needs"):
            Wishful.as_view({"get": "list"})

    def test_may_answer_with_bytes_of_its_own(self, api):
        answer = api("root").get("/v1/clinics/platform")
        assert (answer.status_code, answer.content) == (200, b"raw")

    def test_is_the_same_by_put_and_patch(self, world, ion):
        thing = world.thing()
        assert ion.patch(f"/v1/things/{thing.pk}", {"title": "A"}).json()["data"]["title"] == "A"
        assert ion.put(f"/v1/things/{thing.pk}", {"slug": "bb"}).json()["data"] | {} == {
            **ion.get(f"/v1/things/{thing.pk}").json()["data"], "title": "A", "slug": "bb",
        }  # fmt: skip

    def test_answers_a_deletion_without_a_body(self, world, ion):
        thing = world.thing()
        answer = ion.delete(f"/v1/things/{thing.pk}")
        assert (answer.status_code, answer.content, answer.get("Content-Type")) == (204, b"", None)
        assert ion.delete(f"/v1/things/{thing.pk}").status_code == 404


def test_an_address_behind_no_proxy_is_that_of_the_connection(world):
    assert Api().get("/v1/public/nowhere", x_forwarded_for="9.9.9.9").status_code == 200
