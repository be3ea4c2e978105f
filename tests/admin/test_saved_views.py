"""Saved views in the back office: kept from a narrowed list, tabs above it, changed on a page of their own."""

from __future__ import annotations

import re
from html import unescape

import pytest

from apps.organizations.models import SavedView
from apps.scheduling.models import Appointment
from tests.admin.office import Office
from tests.make.anything import any_row
from tests.make.organizations import member, within

LIST = "/admin/scheduling/appointment/"
TO_CONFIRM = f"{LIST}?status__exact=upcoming&mode__exact=video"


def keep(who: Office, address: str, name: str, **more: str) -> None:
    who.post(address, {"keep_view": "1", "name": name, **more})


def tabs(html: str) -> dict[str, str]:
    """The tabs above a list: name and address."""
    nav = re.search(r'<nav class="views".*?</nav>', html, re.DOTALL)
    links = re.findall(r'<li><a href="(.*?)".*?>(.*?)</a>', nav[0], re.DOTALL) if nav else []
    return {" ".join(re.sub(r"<.*?>|\(.*?\)", "", text).split()): unescape(href) for href, text in links}


def current(html: str) -> list[str]:
    nav = re.search(r'<nav class="views".*?</nav>', html, re.DOTALL)
    return [" ".join(re.sub(r"<.*?>", " ", text).split()) for text in re.findall(
        r'aria-current="page">(.*?)</a>', nav[0], re.DOTALL)] if nav else []  # fmt: skip


class TestKeeping:
    def test_a_narrowed_list_is_kept_and_shown_as_a_tab(self, cast, office):
        ion = office(cast.ion)

        page = ion.post(TO_CONFIRM, {"keep_view": "1", "name": "  To   confirm "})

        assert page.messages == ["success: The view “To confirm” is kept. Only you see it."]
        shown = tabs(page.html)
        assert list(shown) == ["All", "To confirm"]
        assert current(page.html) == ["To confirm"]
        opened = ion.get(LIST + shown["To confirm"])
        assert "Mode: Video" in opened.text
        assert current(opened.html) == ["To confirm"]

    def test_an_unnarrowed_list_offers_nothing_to_keep(self, cast, office):
        ion = office(cast.ion)

        assert "keep_view" not in ion.get(LIST).html
        assert "keep_view" in ion.get(TO_CONFIRM).html

    def test_the_text_searched_for_and_foreign_parameters_are_not_kept(self, cast, office):
        ion = office(cast.ion)

        keep(ion, f"{TO_CONFIRM}&q=Ana+Pop&p=1&_popup=1&o=-1.2", "Video")

        with within(cast.sud):
            view = SavedView.objects.get()
        assert view.query == "mode__exact=video&sort=-start.title&status__exact=upcoming"
        assert view.listed == "scheduling.appointment"

    def test_the_order_is_kept_by_the_names_of_columns(self, cast, office):
        ion = office(cast.ion)
        keep(ion, f"{LIST}?o=-2", "By title")

        address = tabs(ion.get(LIST).html)["By title"]
        any_row(Appointment, cast.sud)

        assert "o=-2" in address
        assert re.search(r'aria-sort="descending"><a[^>]*>Title', ion.get(LIST + address).html)

    def test_a_changed_view_is_said_to_be_and_can_take_the_change(self, cast, office):
        ion = office(cast.ion)
        keep(ion, TO_CONFIRM, "To confirm")
        address = LIST + tabs(ion.get(LIST).html)["To confirm"] + "&source__exact=public"

        changed = ion.get(address)
        key = re.search(r'name="same" value="(\d+)"', changed.html)[1]
        saved = ion.post(address, {"keep_view": "1", "same": key})

        assert current(changed.html) == ["To confirm (changed)"]
        assert current(saved.html) == ["To confirm"]
        with within(cast.sud):
            assert "source__exact=public" in SavedView.objects.get().query

    @pytest.mark.parametrize(
        ("name", "told"),
        [("", "Name: required"), ("x" * 61, "Name: at most 60 characters"), ("TO confirm", "Name: already taken")],
    )
    def test_a_name_is_needed_short_and_ones_own_for_the_list(self, cast, office, name, told):
        ion = office(cast.ion)
        keep(ion, TO_CONFIRM, "To confirm")

        page = ion.post(f"{LIST}?status__exact=booked", {"keep_view": "1", "name": name})

        assert page.messages == [f"error: Error: {told}"]
        keep(ion, "/admin/profiles/consentrecord/?status__exact=active", "To confirm")  # another list
        with within(cast.sud):
            assert SavedView.objects.count() == 2

    def test_twenty_views_of_a_list_are_enough(self, cast, office):
        ion = office(cast.ion)
        for number in range(20):
            keep(ion, TO_CONFIRM, f"View {number}")

        page = ion.post(TO_CONFIRM, {"keep_view": "1", "name": "One more"})

        assert page.messages == ["error: Error: A list keeps at most 20 views of one person: delete one first."]


class TestOpening:
    def test_a_list_opens_with_its_default_and_all_rows_stay_a_click_away(self, cast, office):
        ion = office(cast.ion)
        keep(ion, TO_CONFIRM, "To confirm", is_default="1")

        bare = ion.client.get(LIST)
        everything = ion.get(LIST + tabs(ion.get(LIST).html)["All"])

        assert bare.status_code == 302
        assert "status__exact=upcoming" in bare.url
        assert current(everything.html) == ["All"]
        assert "keep_view" not in everything.html

    def test_only_one_view_opens_the_list(self, cast, office):
        ion = office(cast.ion)
        keep(ion, TO_CONFIRM, "First", is_default="1")

        keep(ion, f"{LIST}?status__exact=booked", "Second", is_default="1")

        with within(cast.sud):
            assert list(SavedView.objects.filter(is_default=True).values_list("name", flat=True)) == ["Second"]

    def test_a_filter_that_is_gone_is_left_out(self, cast, office):
        ion = office(cast.ion)
        keep(ion, TO_CONFIRM, "To confirm", is_default="1")
        with within(cast.sud):
            SavedView.objects.update(query="colour__exact=red&mode__exact=video&sort=colour.-start&x=%00")

        page = ion.get(LIST)

        assert page.status == 200
        assert page.messages == []
        assert "Mode:" in page.text


class TestChanging:
    @pytest.fixture
    def view(self, cast, office):
        keep(office(cast.ion), TO_CONFIRM, "To confirm")
        with within(cast.sud):
            return SavedView.objects.get()

    def test_a_view_is_renamed_and_made_the_default(self, cast, office, view):
        ion = office(cast.ion)

        page = ion.post(f"{LIST}views/{view.pk}/", {"name": "Video, to confirm", "is_default": "on"})

        assert page.messages == ["success: The view “Video, to confirm” was saved."]
        assert current(page.html)[0].startswith("Video, to confirm")
        assert ion.client.get(LIST).status_code == 302

    def test_a_taken_name_is_refused_at_its_field(self, cast, office, view):
        ion = office(cast.ion)
        keep(ion, f"{LIST}?status__exact=booked", "Booked")

        page = ion.post(f"{LIST}views/{view.pk}/", {"name": "booked"})

        assert "already taken" in page.text
        assert ion.post(f"{LIST}views/{view.pk}/", {"name": ""}).status == 200

    def test_a_view_is_deleted(self, cast, office, view):
        ion = office(cast.ion)

        page = ion.post(f"{LIST}views/{view.pk}/", {"_delete": "1"})

        assert page.messages == ["success: The view “To confirm” was deleted."]
        assert tabs(page.html) == {}
        assert ion.get(f"{LIST}views/{view.pk}/").status == 404

    def test_nobody_else_sees_or_changes_it(self, cast, office, view):
        for other in (office(cast.mara), office(cast.nora), office(cast.root, cast.sud), office(cast.root)):
            assert tabs(other.get(LIST).html) == {}
            assert other.get(f"{LIST}views/{view.pk}/").status == 404
            assert other.post(f"{LIST}views/{view.pk}/", {"_delete": "1"}).status == 404
        mara = office(cast.mara)
        page = mara.post(TO_CONFIRM, {"keep_view": "1", "same": str(view.pk)})
        assert page.messages == ["error: Error: There is no such resource."]

    def test_a_view_is_found_under_its_own_list_only(self, cast, office, view):
        ion = office(cast.ion)

        assert ion.get(f"/admin/scheduling/hold/views/{view.pk}/").status == 404
        assert ion.get(f"{LIST}views/{'9' * 30}/").status == 404
        assert ion.get(f"{LIST}views/{view.pk}/?nonsense=1").status in (200, 404)

    def test_a_list_that_is_not_for_the_role_has_no_views_either(self, cast, office, view):
        sara = office(cast.sara)

        assert sara.post("/admin/organizations/webhooksubscription/", {"keep_view": "1", "name": "x"}).status == 403
        assert sara.get("/admin/organizations/webhooksubscription/views/1/").status == 403


class TestWhereverSomebodyWorks:
    def test_views_belong_to_one_clinic(self, cast, office):
        vera = office(cast.vera, cast.sud)
        keep(vera, TO_CONFIRM, "To confirm")

        assert list(tabs(vera.get(LIST).html)) == ["All", "To confirm"]
        assert tabs(office(cast.vera, cast.nord).get(LIST).html) == {}

    def test_a_superadmin_keeps_views_of_the_platforms_lists_while_a_clinic_is_chosen(self, cast, office):
        root = office(cast.root, cast.sud)

        keep(root, "/admin/organizations/user/?blocked__exact=1", "Blocked")

        assert list(tabs(root.get("/admin/organizations/user/").html)) == ["All", "Blocked"]
        everywhere = office(cast.root).get("/admin/organizations/user/?blocked__exact=1")
        assert tabs(everywhere.html) == {}
        assert "keep_view" not in everywhere.html
        assert office(cast.root).post(
            "/admin/organizations/user/?blocked__exact=1", {"keep_view": "1", "name": "x"}
        ).status == 404  # fmt: skip

    def test_views_end_with_the_account(self, cast, office):
        from apps.organizations.services import users
        from restartix.kernel.tenancy import Actor

        sud_member = member(cast.sud, cast.nora.user, "admin")
        keep(office(cast.nora, cast.sud), TO_CONFIRM, "Mine")
        keep(office(cast.ion), TO_CONFIRM, "Mine")

        users.leave(sud_member.user, by=Actor.system("test"))

        with within(cast.sud):
            assert [view.user for view in SavedView.objects.all()] == [cast.ion.user]

    def test_the_trail_tells_of_views_without_what_is_in_them(self, cast, office):
        from apps.organizations.models import AuditEntry

        keep(office(cast.ion), TO_CONFIRM, "Ana Pop")

        with within(cast.sud):
            entry = AuditEntry.objects.filter(entity_type="saved_view").latest("id")
        assert entry.actor_name == cast.ion.user.name
        assert entry.changes["name"]["new"] == entry.changes["query"]["new"] == "***"
