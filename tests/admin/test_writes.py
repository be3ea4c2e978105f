"""Every write of the back office is a service call: what is refused leaves nothing, what is done is on record."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.utils.timezone import localtime

from apps.organizations.models import AuditEntry, Fact, Membership
from apps.profiles.models import Specialist, Specialty
from apps.scheduling.admin.offers import AppointmentTemplateAdmin
from apps.scheduling.models import Appointment, AppointmentTemplate, Claim, Hold
from restartix.kernel import clock
from restartix.kernel.admin.model_admin import SavedOutsideServices, refusing_what_the_database_refuses
from restartix.kernel.errors import Conflict
from tests.admin.office import appointment, booking, hold, template
from tests.make.organizations import within
from tests.make.profiles import specialty

SERVICE = {
    "name": "First visit", "duration_minutes": "50", "gap_minutes": "10", "min_notice_minutes": "120",
    "horizon_days": "60", "cancel_cutoff_hours": "24", "mode": "video", "color": "#3B82F6", "is_active": "on",
    "currency": "RON",
}  # fmt: skip


@pytest.fixture
def ion(cast, office):
    """An admin of the clinic at work."""
    return office(cast.ion)


def reload(row):
    """Read the row again, inside its clinic."""
    with within(row.organization):
        row.refresh_from_db()


def change_path(row):
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


class TestAddingARow:
    def test_calls_the_service_which_fills_in_what_was_left_empty(self, ion, cast):
        page = ion.post("/admin/scheduling/appointmenttemplate/add/", {**SERVICE, "currency": "", "slug": ""})

        assert page.messages == ["success: Added: First visit."]
        with within(cast.sud):
            made = AppointmentTemplate.objects.get()
            assert (made.slug, made.currency, made.organization_id) == ("first-visit", "RON", cast.sud.pk)

    def test_is_on_record_as_an_act_of_the_back_office(self, ion, cast):
        ion.post("/admin/profiles/specialty/add/", {"title": "Masaj", "slug": "masaj"})

        with within(cast.sud):
            entry = AuditEntry.objects.filter(entity_type="specialty").get()
        assert (entry.action, entry.actor_id, entry.actor_role, entry.source) == (
            "CREATE",
            str(cast.ion.user.pk),
            "admin",
            "admin",
        )
        assert entry.path == "/admin/profiles/specialty/add/"
        assert not LogEntry.objects.exists()

    def test_out_of_bounds_is_told_at_the_field(self, ion):
        page = ion.post("/admin/scheduling/appointmenttemplate/add/", {**SERVICE, "duration_minutes": "4"})

        assert "Ensure this value is greater than or equal to 5." in page.text

    def test_that_the_service_refuses_shows_why_and_reports_no_success(self, ion, cast):
        specialty(cast.sud, "Masaj", "masaj")

        page = ion.post("/admin/profiles/specialty/add/", {"title": "Masaj 2", "slug": "masaj"})

        assert page.messages == []
        assert re.search(r'id="id_slug_error">.*?already taken', page.html, re.DOTALL)
        assert page.value("title") == "Masaj 2"
        with within(cast.sud):
            assert Specialty.objects.count() == 1


class TestChangingARow:
    def test_sends_what_differs(self, ion, cast):
        offered = template(cast.sud, cast.sara.specialist)
        page = ion.get(change_path(offered))

        saved = ion.post(change_path(offered), page.filled(name="Renamed", min_notice_minutes="120"))

        assert saved.messages == ["success: Saved: Renamed."]
        with within(cast.sud):
            entry = AuditEntry.objects.filter(entity_type="appointment_template", action="UPDATE").last()
        assert {"name", "min_notice_minutes"} == set(entry.changes)

    def test_that_somebody_changed_meanwhile_saves_nothing_and_says_who(self, ion, cast, office):
        field = specialty(cast.sud)
        stale = ion.get(change_path(field)).value("version")
        office(cast.vera, cast.sud).post(change_path(field), {"title": "By Vera", "slug": "vera", "version": stale})

        page = ion.post(change_path(field), {"title": "By Ion", "slug": "ion", "version": stale})

        assert "Somebody changed this while you had it open." in page.text
        assert "Last changed by Vera Dinu at" in page.text
        reload(field)
        assert field.title == "By Vera"

        again = ion.post(change_path(field), {"title": "By Ion", "slug": "ion", "version": page.value("version")})
        assert again.messages == ["success: Saved: By Ion."]

    def test_of_a_clinic_keeps_its_slug_and_status(self, ion, cast):
        sent = ion.get(change_path(cast.sud)).filled(
            name="Sud", slug="taken-over", status="suspended", timezone="Europe/Berlin"
        )

        ion.post(change_path(cast.sud), sent)

        cast.sud.refresh_from_db()
        assert (cast.sud.name, cast.sud.slug, cast.sud.status, cast.sud.timezone) == (
            "Sud",
            "clinica-sud",
            "active",
            "Europe/Berlin",
        )

    def test_of_a_clinic_is_stored_as_the_api_stores_it(self, ion, cast):
        path = change_path(cast.sud)
        sent = ion.get(path).filled(phone="(0040) 721-000.111", primary_color="#0a7b83", website="", tagline="")

        ion.post(path, sent)

        cast.sud.refresh_from_db()
        assert (cast.sud.phone, cast.sud.primary_color, cast.sud.website) == ("+40721000111", "#0A7B83", None)

    def test_of_a_clinics_rules_merges_its_settings(self, ion, cast):
        path = change_path(cast.sud)
        policy = {"version": "2026-05", "url": "https://sud.example/privacy"}
        rules = {"privacy_version": policy["version"], "privacy_url": policy["url"]}
        sent = ion.get(path).filled(**rules, required_consents=["privacy_policy"])

        assert ion.post(path, sent).messages == ["success: Saved: Clinica Sud."]

        cast.sud.refresh_from_db()
        assert cast.sud.setting("policies") == {"privacy_policy": policy}
        assert cast.sud.setting("required_consents") == ["privacy_policy"]
        ion.post(path, ion.get(path).filled(privacy_version="", privacy_url=""))
        cast.sud.refresh_from_db()
        assert cast.sud.setting("policies") == {}

    @pytest.mark.parametrize(
        ("version", "url"), [("1", ""), ("", "https://sud.example/p"), ("1", "http://sud.example/p")]
    )
    def test_to_half_a_policy_is_refused(self, ion, cast, version, url):
        path = change_path(cast.sud)

        page = ion.post(path, ion.get(path).filled(privacy_version=version, privacy_url=url))

        assert 'id="id_privacy_url_error"' in page.html

    @pytest.mark.parametrize("phone", ["0721 000 111", "call us", "+40"])
    def test_to_a_phone_that_is_none_is_refused(self, ion, cast, phone):
        path = change_path(cast.sud)

        page = ion.post(path, ion.get(path).filled(phone=phone))

        assert page.messages == []
        assert 'id="id_phone_error"' in page.html

    def test_of_ones_own_role_is_refused(self, ion, cast):
        with within(cast.sud):
            own = Membership.objects.get(user=cast.ion.user)

        page = ion.post(change_path(own), {"role": "specialist"})

        assert "Nobody changes their own role or status." in page.text
        reload(own)
        assert own.role == "admin"

    def test_to_values_that_do_not_fit_together_is_refused(self, ion, cast):
        path = change_path(cast.sara.specialist)
        sent = ion.get(path).filled(license_issued_on="2030-01-31", license_expires_on="2030-01-01")

        assert "These values do not fit together (specialist_license_lasts)." in ion.post(path, sent).text

    def test_that_only_the_database_refuses_becomes_a_refusal_too(self, cast):
        offered = template(cast.sud)

        refused = pytest.raises(Conflict, match="template_duration_bounds")
        with within(cast.sud), refused, transaction.atomic(), refusing_what_the_database_refuses():
            AppointmentTemplate.objects.filter(pk=offered.pk).update(duration_minutes=1)


class TestRowsBelowARow:
    def test_are_attached_changed_and_detached_by_services(self, ion, cast):
        offered = template(cast.sud, cast.sara.specialist)
        page = ion.get(change_path(offered))
        body = page.filled(**{
            "offers-TOTAL_FORMS": "2", "offers-0-DELETE": "on", "offers-1-specialist": cast.tudor.specialist.pk,
            "offers-1-priority": "7", "offers-1-is_active": "on",
        })  # fmt: skip

        saved = ion.post(change_path(offered), body)

        assert saved.messages == [f"success: Saved: {offered.name}."]
        with within(cast.sud):
            (offer,) = offered.offers.all()
        assert (offer.specialist_id, offer.priority) == (cast.tudor.specialist.pk, 7)

    def test_label_each_control_by_field_and_row(self, ion, cast):
        page = ion.get(change_path(template(cast.sud, cast.sara.specialist)))

        assert 'aria-label="Priority (row 1)"' in page.html


class TestDeletingARow:
    def test_asks_once_and_calls_the_service(self, ion, cast):
        offered = template(cast.sud, cast.sara.specialist)
        path = change_path(offered).replace("change", "delete")

        assert "Delete Consultation?" in ion.get(path).text
        page = ion.post(path)

        assert page.messages == ["success: Consultation was deleted."]
        reload(offered)
        assert offered.deleted_at is not None

    def test_is_refused_while_something_depends_on_it(self, ion, cast, monday):
        offered = template(cast.sud, cast.sara.specialist)
        appointment(cast.sud, cast.sara.specialist, offered, monday)

        page = ion.post(change_path(offered).replace("change", "delete"))

        assert page.messages == [
            "error: Error: Appointments of this template are still to come: cancel or move them first."
        ]
        reload(offered)
        assert offered.deleted_at is None

    def test_is_offered_for_no_selection_of_rows(self, ion, cast):
        specialty(cast.sud)

        assert "delete_selected" not in ion.get("/admin/profiles/specialty/").html
        assert (
            ion.post(
                "/admin/profiles/specialty/", {"action": "delete_selected", "_selected_action": "1", "index": "0"}
            ).status
            == 200
        )
        with within(cast.sud):
            assert Specialty.objects.count() == 1


class TestMoves:
    def test_cancel_asks_for_a_reason(self, ion, cast, monday):
        visit = booking(cast.sud, template(cast.sud, cast.sara.specialist), monday)
        path = f"/admin/scheduling/appointment/moves/cancel/?ids={visit.pk}"

        assert "Maria Ionescu" in ion.get(path).text
        assert "This field is required." in ion.post(path, {"reason": ""}).text
        page = ion.post(path, {"reason": "Ill"})

        assert page.messages == ["success: Cancel: done."]
        reload(visit)
        assert (visit.status, visit.cancel_reason, visit.cancel_reason_code) == ("cancelled", "Ill", "clinic_request")
        with within(cast.sud):
            assert not Claim.objects.exists()
            assert Fact.objects.filter(name="appointment.cancelled").count() == 1

    def test_for_several_rows_name_what_was_refused_and_keep_the_rest(self, ion, cast, monday):
        offered = template(cast.sud, cast.sara.specialist)
        coming = [
            appointment(cast.sud, cast.sara.specialist, offered, monday.replace(hour=hour), f"P{hour}")
            for hour in (8, 9)
        ]
        with within(cast.sud):
            Appointment.objects.filter(pk=coming[0].pk).update(status="inprogress")
        ids = [visit.pk for visit in coming]

        page = ion.post("/admin/scheduling/appointment/", {"action": "confirm", "_selected_action": ids, "index": "0"})

        assert [message.split(":")[0] for message in page.messages] == ["error", "success"]
        assert "P8" in page.messages[0]
        assert [self.status(visit) for visit in coming] == ["inprogress", "confirmed"]

    @staticmethod
    def status(visit):
        reload(visit)
        return visit.status

    def test_offered_are_those_that_fit_the_row(self, ion, cast, monday):
        visit = appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), monday)

        page = ion.get(change_path(visit))

        assert re.findall(r"moves/([a-z-]+)/", page.html) == ["confirm", "start", "reschedule", "cancel"]

    def test_to_a_taken_time_is_refused_and_changes_nothing(self, ion, cast, monday):
        offered = template(cast.sud, cast.sara.specialist)
        first, second = (
            appointment(cast.sud, cast.sara.specialist, offered, monday.replace(hour=hour), f"P{hour}")
            for hour in (8, 10)
        )
        local = first.started_at.astimezone(__import__("zoneinfo").ZoneInfo("Europe/Bucharest"))

        page = ion.post(
            f"/admin/scheduling/appointment/moves/reschedule/?ids={second.pk}",
            {"started_at": f"{local:%Y-%m-%dT%H:%M}"},
        )

        assert page.messages[0].startswith("error: Error: P10")
        reload(second)
        assert second.started_at == monday.replace(hour=10)

    def test_release_ends_a_visitors_hold(self, ion, cast, monday):
        held, _token = hold(cast.sud, template(cast.sud, cast.sara.specialist), monday)

        page = ion.post(f"/admin/scheduling/hold/moves/release/?ids={held.pk}&next=/admin/%3Fdate%3D2030-01-01")

        assert page.messages == ["success: Release: done."]
        with within(cast.sud):
            assert Hold.objects.get().status == "released"

    def test_of_superadmins_are_not_there_for_admins(self, ion, cast):
        answer = ion.post(f"/admin/organizations/organization/moves/suspend/?ids={cast.sud.pk}")

        assert answer.status == 404
        cast.sud.refresh_from_db()
        assert cast.sud.status == "active"

    @pytest.mark.parametrize("ids", ["", "x", "0", "9" * 30, "1,,2;3"])
    def test_for_rows_that_are_none_are_not_found(self, ion, ids):
        assert ion.get(f"/admin/scheduling/hold/moves/release/?ids={ids}").status == 404


class TestHistory:
    def test_tells_who_changed_what(self, ion, cast):
        field = specialty(cast.sud)
        ion.post(change_path(field), {"title": "Fizioterapie", "slug": "kinetoterapie"})

        page = ion.get(change_path(field).replace("change", "history"))

        assert re.search(r"Ion Admin \(admin\).*Kinetoterapie → Fizioterapie", page.text)

    def test_is_for_admins(self, cast, office):
        assert office(cast.mara).get(change_path(specialty(cast.sud)).replace("change", "history")).status == 403


class TestReadingOnePatientsData:
    def test_leaves_an_audit_row(self, ion, cast, monday):
        visit = appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), monday)

        ion.get(change_path(visit))

        with within(cast.sud):
            entry = AuditEntry.objects.get(action="READ")
        assert (entry.entity_type, entry.entity_id, entry.source) == ("appointment", str(visit.pk), "admin")
        assert (entry.patient_id, entry.actor_id) == (visit.patient_id, str(cast.ion.user.pk))

    def test_leaves_one_when_a_superadmin_looks_at_all_clinics(self, office, cast, monday):
        visit = appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), monday)

        assert office(cast.root).get(change_path(visit)).status == 200

        with within(cast.sud):
            assert AuditEntry.objects.get(action="READ").actor_role == "superadmin"

    def test_leaves_none_for_a_contact(self, ion, cast, monday):
        ion.get(change_path(booking(cast.sud, template(cast.sud, cast.sara.specialist), monday)))

        with within(cast.sud):
            assert not AuditEntry.objects.filter(action="READ").exists()


def test_a_page_cannot_save_or_delete_by_itself(rf, cast):
    from django.contrib import admin

    page = AppointmentTemplateAdmin(AppointmentTemplate, admin.site)

    with pytest.raises(SavedOutsideServices):
        page.delete_model(rf.get("/"), None)
    with pytest.raises(SavedOutsideServices):
        page.delete_queryset(rf.get("/"), AppointmentTemplate.objects.none())


def test_a_specialists_licence_goes_to_the_service_as_one_object(ion, cast):
    body = {
        "name": "Sara Marin",
        "title": "Dr.",
        "slug": "sara-marin",
        "user": cast.sara.user.pk,
        "license_number": "RO-7",
    }

    page = ion.post(change_path(cast.sara.specialist), {**body, "license_expires_on": "2030-01-31"})

    assert page.messages == ["success: Saved: Dr. Sara Marin."]
    with within(cast.sud):
        sara = Specialist.objects.get(pk=cast.sara.specialist.pk)
    assert (sara.license_number, f"{sara.license_expires_on}") == ("RO-7", "2030-01-31")


@pytest.mark.parametrize(
    ("when", "shown"),
    [("today", set()), ("tomorrow", set()), ("week", {"P2", "P3"}), ("past", set()), ("nonsense", {"P2", "P3", "P30"})],
)
def test_appointments_are_found_by_their_day(ion, cast, when, shown):
    offered = template(cast.sud, cast.sara.specialist)
    start = localtime(clock.now(), ZoneInfo(cast.sud.timezone)).replace(hour=9, minute=0, second=0, microsecond=0)
    for days in (2, 3, 30):
        appointment(cast.sud, cast.sara.specialist, offered, start + timedelta(days=days), f"P{days}")

    text = ion.get("/admin/scheduling/appointment/", when=when).text

    assert {name for name in ("P2", "P3", "P30") if f" {name} " in text} == shown
