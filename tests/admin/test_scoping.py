"""Another clinic's rows are nowhere: not in lists, pages, choices, actions or the board."""

from __future__ import annotations

import pytest
from django.contrib import admin

from apps.organizations.models import Membership, WebhookDelivery, WebhookSubscription
from apps.organizations.services import subscriptions
from apps.profiles.models import Patient, Specialist, Specialty
from apps.scheduling.models import Appointment, AppointmentTemplate, CalendarFeed, Claim, Hold, HoldEvent
from apps.scheduling.services import feeds
from restartix.kernel.tenancy import TenantModel
from tests.admin.office import DESK, appointment, hold, template
from tests.make.anything import any_row
from tests.make.organizations import within
from tests.make.profiles import specialty

TENANT_PAGES = sorted(
    (model for model in admin.site._registry if issubclass(model, TenantModel)), key=lambda model: model.__name__
)


def path_of(model, *rest):
    return "/".join(["/admin", model._meta.app_label, model._meta.model_name, *map(str, rest), ""])


@pytest.fixture
def full(cast, monday):
    """One row of every kind in each clinic; returns those of the other clinic by model."""
    theirs = {}
    for clinic, person in ((cast.sud, cast.sara.specialist), (cast.nord, cast.sorin.specialist)):
        with within(clinic):
            listener = subscriptions.create(by=DESK, url=f"https://{clinic.slug}.example/", events=["*"])
        field = specialty(clinic, f"Field of {clinic.slug}", f"field-{clinic.slug}")
        offered = template(clinic, person, name=f"Visit at {clinic.slug}")
        hold(clinic, offered, monday)
        visit = appointment(clinic, person, offered, monday.replace(hour=12), f"Patient of {clinic.slug}")
        with within(clinic):
            feeds.issue(person, by=DESK)
            theirs = {
                Patient: visit.patient,
                Specialist: person,
                Specialty: field,
                AppointmentTemplate: offered,
                Appointment: visit,
                Hold: Hold.objects.get(),
                HoldEvent: HoldEvent.objects.first(),
                Claim: Claim.objects.get(appointment=visit),
                CalendarFeed: CalendarFeed.objects.get(),
                Membership: Membership.objects.filter(role="specialist").get(),
                WebhookSubscription: listener,
                WebhookDelivery: WebhookDelivery.objects.first(),
            }
        theirs |= {model: any_row(model, clinic) for model in TENANT_PAGES if model not in theirs}
    return theirs


def test_every_tenant_page_is_tried(full):
    assert set(TENANT_PAGES) == set(full)


@pytest.mark.parametrize("model", TENANT_PAGES, ids=lambda model: model.__name__)
def test_another_clinics_row_is_not_in_the_list_and_not_found(model, full, cast, office):
    ion = office(cast.ion)
    row = full[model]

    listed = ion.get(path_of(model))

    assert listed.status == 200
    assert path_of(model, row.pk, "change") not in listed.html
    assert ion.get(path_of(model, row.pk, "change")).status == 404
    assert ion.get(path_of(model, row.pk, "history")).status == 404
    assert ion.get(path_of(model, row.pk, "delete")).status in (403, 404)


def test_choices_offer_the_clinics_own_rows_only(full, cast, office):
    ion = office(cast.ion)

    form = ion.get("/admin/scheduling/appointmenttemplate/add/")
    person = ion.get(path_of(Specialist, cast.sara.specialist.pk, "change"))
    with within(cast.sud):
        own = AppointmentTemplate.objects.earliest("pk")
    offers = ion.get(path_of(AppointmentTemplate, own.pk, "change"))

    assert form.options("specialty") == ["---------", "Field of clinica-sud"]
    assert person.options("user") == ["---------", "Ion Admin", "Sara Marin", "Vera Dinu"]
    assert "Field of clinica-nord" not in person.html
    assert "Sorin Radu" not in offers.html
    assert "Sorin Radu" not in ion.get("/admin/scheduling/appointment/").html


def test_a_posted_choice_of_another_clinic_is_refused(full, cast, office):
    ion = office(cast.ion)
    body = {"name": "X", "duration_minutes": 30, "gap_minutes": 0, "min_notice_minutes": 0, "horizon_days": 30}
    body |= {"cancel_cutoff_hours": 24, "mode": "video", "color": "#112233", "specialty": full[Specialty].pk}

    page = ion.post("/admin/scheduling/appointmenttemplate/add/", body)

    assert "Select a valid choice" in page.text
    with within(cast.sud):
        assert not AppointmentTemplate.objects.filter(name="X").exists()


@pytest.mark.parametrize(("model", "move"), [(Appointment, "cancel"), (Hold, "release"), (Membership, "disable")])
def test_a_move_does_not_reach_another_clinics_row(model, move, full, cast, office):
    answer = office(cast.ion).post(f"{path_of(model)}moves/{move}/?ids={full[model].pk}", {"reason": "x"})

    assert answer.status == 404
    with within(cast.nord):
        assert model.objects.get(pk=full[model].pk).status == full[model].status


def test_the_board_shows_the_clinics_own_people_and_holds(full, cast, office, monday):
    page = office(cast.ion).get("/admin/", date=monday.date().isoformat())

    assert "Sara Marin" in page.text
    assert "Patient of clinica-sud" in page.text
    assert "Sorin Radu" not in page.text
    assert "clinica-nord" not in page.text


class TestSomebodyOfTwoClinics:
    def test_works_in_the_one_that_was_chosen(self, full, cast, office):
        sud, nord = office(cast.vera, cast.sud), office(cast.vera, cast.nord)

        assert "Sara Marin" in sud.get("/admin/profiles/specialist/").text
        assert "Sara Marin" not in nord.get("/admin/profiles/specialist/").text
        assert "Sorin Radu" in nord.get("/admin/profiles/specialist/").text

    def test_cannot_choose_a_clinic_they_do_not_work_in(self, full, cast, office):
        ion = office(cast.ion, cast.nord)

        assert "Clinica Sud" in ion.get("/admin/").text


class TestASuperadmin:
    def test_sees_every_clinic_until_one_is_chosen(self, full, cast, office):
        every, sud = office(cast.root), office(cast.root, cast.sud)

        assert {"Sara Marin", "Sorin Radu"} <= set(names(every.get("/admin/profiles/specialist/")))
        assert "Sorin Radu" not in names(sud.get("/admin/profiles/specialist/"))
        assert "Clinica Nord" in every.get("/admin/").text

    def test_reads_only_while_every_clinic_is_shown(self, full, cast, office):
        every = office(cast.root)
        page = every.get(path_of(Specialist, full[Specialist].pk, "change"))

        assert "Choose this row's clinic above to change it." in page.text
        assert 'name="_save"' not in page.html
        assert every.get("/admin/profiles/specialist/add/").status == 403
        assert every.post(f"{path_of(Hold)}moves/release/?ids={full[Hold].pk}").status == 404

    def test_opens_every_kind_of_page_of_every_clinic(self, full, cast, office):
        every = office(cast.root)

        statuses = {model: every.get(path_of(model, row.pk, "change")).status for model, row in full.items()}
        lists = {model: every.get(path_of(model)).status for model in full}

        assert set(statuses.values()) | set(lists.values()) == {200}

    def test_alone_sees_users_and_opens_clinics(self, cast, office):
        root = office(cast.root)
        assert "petra.ilie@example.org" in root.get("/admin/organizations/user/").text

        page = root.post(
            "/admin/organizations/organization/add/",
            {
                "name": "Clinica Vest",
                "slug": "clinica-vest",
                "timezone": "Europe/Bucharest",
                "locale": "ro",
                "currency": "RON",
            },
        )

        assert page.messages == ["success: Added: Clinica Vest."]
        assert office(cast.ion).get("/admin/organizations/user/").status == 403


def names(page):
    """The texts of the first links of a list's rows."""
    import re

    return re.findall(r'<th class="field-name">\s*<a[^>]*>(.*?)</a>', page.html)
