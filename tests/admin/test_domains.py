"""Domains and integration keys in the back office."""

from __future__ import annotations

import re

import pytest

from apps.organizations.models import ApiKey, AuditEntry, Domain
from apps.organizations.services import keys
from tests import nameserver
from tests.make.organizations import SYSTEM, within

DOMAINS, KEYS = "/admin/organizations/domain/", "/admin/organizations/apikey/"
SECRET = "dk_live_0123456789ABCD"


@pytest.fixture
def names(settings):
    with nameserver.running() as server:
        settings.DNS_NAMESERVERS = [server.address]
        yield server


def claimed(cast, office):
    office(cast.ion).post(f"{DOMAINS}add/", {"domain": "Portal.Clinica.example", "kind": "portal"})
    with within(cast.sud):
        return Domain.objects.get()


class TestDomains:
    def test_are_claimed_and_show_the_record_to_publish(self, cast, office):
        domain = claimed(cast, office)

        page = office(cast.ion).get(f"{DOMAINS}{domain.pk}/change/")

        assert domain.domain == "portal.clinica.example"
        assert domain.record_name in page.text
        assert domain.record_value in page.text
        assert set(re.findall(r'data-copy="([^"]+)"', page.html)) == {"code-record-name", "code-record-value"}
        assert "It has not been checked yet." in page.text

    def test_what_is_no_domain_is_told_at_its_field(self, cast, office):
        page = office(cast.ion).post(f"{DOMAINS}add/", {"domain": "https://clinica.example", "kind": "portal"})

        assert re.search(r'id="id_domain_error".*?without a scheme', page.html, re.DOTALL)
        with within(cast.sud):
            assert not Domain.objects.exists()

    def test_a_check_tells_what_it_saw_and_stays_on_record(self, cast, office, names):
        domain = claimed(cast, office)
        names.records[domain.record_name] = ["v=spf1 -all", "<script>alert(1)</script>"]

        verified = office(cast.ion).post(f"{DOMAINS}moves/verify/?ids={domain.pk}", {})
        page = office(cast.ion).get(f"{DOMAINS}{domain.pk}/change/")

        assert "The TXT record has another value." in verified.messages[0]
        assert "v=spf1 -all" in page.text
        assert "<script>alert" not in page.html
        with within(cast.sud):
            assert Domain.objects.get().status == "failed"

    def test_a_check_that_finds_the_record_proves_the_domain(self, cast, office, names):
        domain = claimed(cast, office)
        names.records[domain.record_name] = [domain.record_value]

        verified = office(cast.ion).post(f"{DOMAINS}moves/verify/?ids={domain.pk}", {})

        assert "The record was found." in verified.messages[0]
        with within(cast.sud):
            assert Domain.objects.get().status == "verified"
            entry = AuditEntry.objects.filter(entity_type="domain", action="UPDATE").get()
        assert (entry.source, entry.actor_id) == ("admin", str(cast.ion.user.pk))

    def test_are_read_by_the_desk_and_changed_by_admins(self, cast, office):
        domain = claimed(cast, office)
        address = f"{DOMAINS}{domain.pk}/change/"

        page = office(cast.mara).get(address)

        assert (page.status, "moves/verify" in page.html, "/delete/" in page.html) == (200, False, False)
        assert office(cast.mara).get(f"{DOMAINS}add/").status == 403
        assert office(cast.mara).post(f"{DOMAINS}moves/verify/?ids={domain.pk}", {}).status == 404
        assert office(cast.sara).get(address).status == 403
        assert office(cast.nora).get(address).status == 404

    def test_are_given_up(self, cast, office):
        domain = claimed(cast, office)

        office(cast.ion).post(f"{DOMAINS}{domain.pk}/delete/", {})

        with within(cast.sud):
            assert not Domain.objects.exists()


class TestKeys:
    def put(self, cast, office, **values):
        given = {"service": "daily", "title": "production", "new_key": SECRET, **values}
        return office(cast.ion).post(f"{KEYS}add/", given)

    def test_are_put_in_and_shown_on_no_page(self, cast, office):
        self.put(cast, office)
        with within(cast.sud):
            key = ApiKey.objects.get()
            assert keys.secret_of("daily") == SECRET

        for address in (KEYS, f"{KEYS}{key.pk}/change/", f"{KEYS}{key.pk}/history/", f"{KEYS}{key.pk}/delete/"):
            page = office(cast.ion).get(address)
            assert page.status == 200
            assert SECRET not in page.html
        assert "…ABCD" in office(cast.ion).get(KEYS).text

    def test_that_are_no_keys_are_refused_and_not_echoed(self, cast, office):
        page = self.put(cast, office, new_key="with space " + SECRET)

        assert "8 to 4096 visible characters" in page.text
        assert SECRET not in page.html

    def test_are_replaced_and_left_alone_where_nothing_is_put_in(self, cast, office):
        self.put(cast, office)
        with within(cast.sud):
            key = ApiKey.objects.get()
        page = office(cast.ion).get(f"{KEYS}{key.pk}/change/")

        office(cast.ion).post(f"{KEYS}{key.pk}/change/", page.filled(title="live"))
        with within(cast.sud):
            assert (keys.secret_of("daily"), ApiKey.objects.get().title) == (SECRET, "live")
        page = office(cast.ion).get(f"{KEYS}{key.pk}/change/")
        office(cast.ion).post(f"{KEYS}{key.pk}/change/", page.filled(new_key="another-key-9876"))

        with within(cast.sud):
            assert (keys.secret_of("daily"), ApiKey.objects.get().last4) == ("another-key-9876", "9876")

    def test_are_the_admins_business_alone(self, cast, office):
        with within(cast.sud):
            key = keys.put(by=SYSTEM, service="daily", api_key=SECRET).key

        for person in (cast.mara, cast.sara):
            assert office(person).get(KEYS).status == 403
            assert office(person).get(f"{KEYS}{key.pk}/change/").status == 403
        assert office(cast.nora).get(f"{KEYS}{key.pk}/change/").status == 404

    def test_are_destroyed(self, cast, office):
        self.put(cast, office)
        with within(cast.sud):
            key = ApiKey.objects.get()

        office(cast.ion).post(f"{KEYS}{key.pk}/delete/", {})

        with within(cast.sud):
            assert keys.secret_of("daily") is None
