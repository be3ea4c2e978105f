"""Organizations over the API: opened, read, changed, closed."""

from __future__ import annotations

import pytest

from apps.organizations.models import AuditEntry, Membership, Organization, User
from apps.organizations.services import organizations
from tests.make import organizations as make


def path(organization, rest=""):
    return f"/v1/organizations/{organization.pk}{rest}"


class TestTheList:
    def test_holds_the_callers_own_with_their_role(self, cast, api):
        vera = api(cast.vera).get("/v1/organizations").data
        ana = api(cast.ana).get("/v1/organizations").data

        assert [(each["slug"], each["my_role"]) for each in vera] == [
            ("clinica-nord", "admin"),
            ("clinica-sud", "admin"),
        ]
        assert [(each["slug"], each["my_role"]) for each in ana] == [("clinica-sud", "patient")]

    def test_shows_no_settings_to_patients(self, cast, api):
        assert "settings" in api(cast.mara).get("/v1/organizations").data[0]
        assert "settings" not in api(cast.ana).get("/v1/organizations").data[0]

    def test_shows_a_superadmin_all_or_the_one_of_the_header(self, cast, api):
        every = api(cast.root).get("/v1/organizations").data
        one = api(cast.root, cast.nord).get("/v1/organizations").data

        assert [each["slug"] for each in every] == ["clinica-nord", "clinica-sud"]
        assert [each["slug"] for each in one] == ["clinica-nord"]
        assert one[0]["my_role"] is None
        assert "settings" in one[0]

    def test_is_filtered_and_sorted(self, cast, api):
        root = api(cast.root)

        assert [each["slug"] for each in root.get("/v1/organizations?search=SUD").data] == ["clinica-sud"]
        assert root.get("/v1/organizations?status=suspended").data == []
        assert root.get("/v1/organizations?sort=-name").data[0]["slug"] == "clinica-sud"
        assert root.get("/v1/organizations?sort=slug").status == 422

    def test_is_open_to_members_of_a_suspended_one(self, cast, api):
        api(cast.root).patch(path(cast.sud), {"status": "suspended"})

        assert api(cast.ion).get("/v1/organizations").data[0]["status"] == "suspended"
        assert api(cast.ion).get(path(cast.sud)).details == {"reason": "organization_suspended"}
        assert api(cast.root).get(path(cast.sud)).status == 200

    def test_costs_the_same_for_two_and_for_ten(self, cast, api, django_assert_max_num_queries):
        for number in range(8):
            make.organization(f"clinic-{number}")
        with django_assert_max_num_queries(12):
            assert len(api(cast.root).get("/v1/organizations").data) == 10


class TestOpening:
    def test_is_for_superadmins(self, cast, api):
        body = {"name": "Clinica Est", "slug": "clinica-est"}

        answer = api(cast.root).post("/v1/organizations", body)

        assert answer.status == 201
        assert answer.headers["Location"] == f"/v1/organizations/{answer.data['id']}"
        assert answer.data["timezone"] == "Europe/Bucharest"
        assert answer.data["settings"]["low_rating_threshold"] == 2
        assert api(cast.ion).post("/v1/organizations", body).status == 403
        assert api().post("/v1/organizations", body).status == 401

    def test_takes_every_field(self, cast, api):
        body = {
            "name": " Clinica Est ",
            "slug": "clinica-est",
            "phone": "+40 721 000 111",
            "website": "https://est.example/",
            "address": {"line1": "Str. Lungă 1", "city": "Iași", "country": "RO"},
            "primary_color": "#0a7b83",
            "timezone": "Europe/Chisinau",
            "locale": "ro-MD",
            "currency": "MDL",
            "tagline": "  ",
            "settings": {"appointment_reminder_hours": 0},
        }

        made = api(cast.root, cast.sud).post("/v1/organizations", body).data

        assert made["name"] == "Clinica Est"
        assert made["phone"] == "+40721000111"
        assert made["primary_color"] == "#0A7B83"
        assert made["tagline"] is None
        assert made["address"] == {
            "line1": "Str. Lungă 1",
            "line2": None,
            "city": "Iași",
            "county": None,
            "postal_code": None,
            "country": "RO",
        }
        assert made["settings"]["appointment_reminder_hours"] == 0
        assert made["settings"]["policies"] == {}

    def test_leaves_an_audit_row_of_the_new_organization(self, cast, api):
        made = api(cast.root).post("/v1/organizations", {"name": "Est", "slug": "clinica-est"}).data

        with make.within(Organization.objects.get(pk=made["id"])):
            entry = AuditEntry.objects.get(entity_type="organization", entity_id=str(made["id"]))
        assert (entry.action, entry.actor_id, entry.source) == ("CREATE", str(cast.root.user.pk), "api")

    @pytest.mark.parametrize(
        ("slug", "status"),
        [
            ("Clinica_Sud", 422), ("admin", 422), ("ab", 422), ("a--b", 422), ("-abc", 422), ("abc-", 422),
            ("a" * 64, 422), ("clinica-sud", 409), ("abc", 201), ("a" * 63, 201),
        ],
    )  # fmt: skip
    def test_judges_the_slug(self, cast, api, slug, status):
        assert api(cast.root).post("/v1/organizations", {"name": "X", "slug": slug}).status == status

    def test_names_the_field_that_is_taken(self, cast, api):
        answer = api(cast.root).post("/v1/organizations", {"name": "X", "slug": "clinica-sud"})

        assert (answer.code, answer.details) == ("conflict", {"field": "slug", "error": "already taken"})


class TestChanging:
    def test_is_for_admins(self, cast, api):
        answer = api(cast.ion).patch(path(cast.sud), {"tagline": "Mișcare"})

        assert answer.data["tagline"] == "Mișcare"
        assert answer.data["my_role"] == "admin"
        for person in (cast.sara, cast.mara, cast.ana):
            assert api(person).patch(path(cast.sud), {"tagline": "x"}).status == 403

    def test_of_the_status_is_for_superadmins(self, cast, api):
        refused = api(cast.ion).patch(path(cast.sud), {"status": "suspended", "tagline": "x"})

        assert (refused.status, refused.details) == (403, {"fields": ["status"]})
        assert api(cast.root).patch(path(cast.sud), {"status": "suspended"}).data["status"] == "suspended"

    def test_never_changes_the_slug(self, cast, api):
        assert api(cast.root).patch(path(cast.sud), {"slug": "x-y-z"}).fields == {"slug": ["cannot be changed"]}

    def test_merges_settings_key_by_key(self, cast, api):
        ion = api(cast.ion)
        policy = {"version": "2026-05", "url": "https://clinica-sud.example/privacy"}
        ion.patch(path(cast.sud), {"settings": {"low_rating_threshold": 4, "policies": {"privacy_policy": policy}}})

        merged = ion.patch(
            path(cast.sud), {"settings": {"suspend_on_expired_license": True, "policies": {"marketing": policy}}}
        ).data["settings"]
        removed = ion.patch(path(cast.sud), {"settings": {"policies": {"privacy_policy": None}}}).data["settings"]

        assert (merged["low_rating_threshold"], merged["suspend_on_expired_license"]) == (4, True)
        assert merged["policies"] == {"privacy_policy": policy, "marketing": policy}
        assert removed["policies"] == {"marketing": policy}
        assert api().get("/v1/public/organizations/resolve?slug=clinica-sud").data["policies"] == {"marketing": policy}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"nmae": "x"}, "nmae"),
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"name": "a" * 201}, "name"),
            ({"created_at": "2026-12-01T10:00:00Z"}, "created_at"),
            ({"timezone": "Europe/Bukarest"}, "timezone"),
            ({"currency": "LEI"}, "currency"),
            ({"primary_color": "blue"}, "primary_color"),
            ({"website": "ftp://x.example"}, "website"),
            ({"phone": "0721"}, "phone"),
            ({"email": "ion"}, "email"),
            ({"address": {"street": "x"}}, "address.street"),
            ({"address": {"country": "Romania"}}, "address.country"),
            ({"settings": {"colour": 1}}, "settings.colour"),
            ({"settings": None}, "settings"),
            ({"settings": {"low_rating_threshold": 6}}, "settings.low_rating_threshold"),
            ({"settings": {"low_rating_threshold": True}}, "settings.low_rating_threshold"),
            ({"settings": {"required_consents": ["marketing", "marketing"]}}, "settings.required_consents[1]"),
            ({"settings": {"required_consents": ["telepathy"]}}, "settings.required_consents[0]"),
            ({"settings": {"policies": {"telepathy": None}}}, "settings.policies.telepathy"),
            (
                {"settings": {"policies": {"marketing": {"version": "1", "url": "http://x.example"}}}},
                "settings.policies.marketing.url",
            ),
        ],
    )
    def test_refuses_what_is_not_acceptable_by_its_path(self, cast, api, body, field):
        assert list(api(cast.ion).patch(path(cast.sud), body).fields) == [field]

    def test_is_guarded_by_the_state_that_was_read(self, cast, api):
        ion = api(cast.ion)
        etag = ion.get(path(cast.sud)).headers["ETag"]
        ion.patch(path(cast.sud), {"tagline": "first"}, If_Match=etag)

        late = ion.patch(path(cast.sud), {"tagline": "second"}, If_Match=etag)

        assert (late.status, late.code) == (412, "precondition_failed")
        assert ion.get(path(cast.sud)).data["tagline"] == "first"

    def test_without_a_difference_leaves_no_trace(self, cast, api):
        ion = api(cast.ion)
        before = ion.get(path(cast.sud)).data

        assert ion.patch(path(cast.sud), {"name": before["name"]}).data == before


class TestAnothersOrganization:
    def test_does_not_exist(self, cast, api):
        for method in ("get", "delete"):
            assert getattr(api(cast.ion), method)(path(cast.nord)).status == 404
        assert api(cast.ion).patch(path(cast.nord), {"name": "x"}).status == 404
        assert api(cast.ion).get(path(cast.nord, "/members")).status == 404
        assert api(cast.ion).get("/v1/organizations/99999999999999999999").status == 404

    def test_is_not_reached_by_a_header(self, cast, api):
        assert api(cast.vera, cast.sud).get(path(cast.nord)).status == 404
        assert api(cast.vera, cast.nord).get(path(cast.nord)).status == 200
        assert api(cast.vera).get(path(cast.nord)).data["my_role"] == "admin"


class TestClosing:
    @pytest.fixture
    def temporary(self, cast):
        clinic = make.organization("tmp-org")
        make.member(clinic, cast.ana.user, "admin")
        return clinic

    def test_is_for_superadmins(self, cast, api, temporary):
        assert api(cast.ana).delete(path(temporary)).status == 403
        assert api(cast.root).delete(path(temporary)).status == 204

    def test_leaves_nothing_to_find(self, cast, api, temporary):
        lonely = make.user("Dan Lup")
        make.member(temporary, lonely, "admin")

        api(cast.root).delete(path(temporary))

        assert api(cast.root).get(path(temporary)).status == 404
        assert api(cast.ana).get(path(temporary)).status == 404
        assert api(lonely).get("/v1/me").data["current_organization"] is None
        assert api().get("/v1/public/organizations/resolve?slug=tmp-org").status == 404
        with make.within(temporary):
            assert set(Membership.objects.values_list("status", flat=True)) == {"disabled"}
        assert User.objects.get(pk=lonely.pk).current_organization is None

    def test_keeps_the_slug_for_ever(self, cast, api, temporary):
        api(cast.root).delete(path(temporary))

        assert api(cast.root).post("/v1/organizations", {"name": "T", "slug": "tmp-org"}).status == 409

    def test_waits_for_what_higher_apps_count(self, cast, api, temporary, monkeypatch):
        monkeypatch.setitem(organizations.removal._counts, "active_appointments", lambda row: 2)

        answer = api(cast.root).delete(path(temporary))

        assert (answer.status, answer.code, answer.details) == (409, "conflict", {"active_appointments": 2})
        assert api(cast.root).get(path(temporary)).status == 200
