"""The webhooks console: for admins alone, with a secret that is seen once."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from apps.organizations.models import WebhookDelivery, WebhookSubscription
from apps.organizations.services import sending, subscriptions
from restartix.environment import env
from restartix.kernel import clock, signatures
from restartix.kernel.tenancy import Actor
from tests.make.organizations import within
from tests.receiver import listening

LIST = "/admin/organizations/webhooksubscription/"
SENT = "/admin/organizations/webhookdelivery/"
BY = Actor.system("tests")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{20,}")


@pytest.fixture
def receiver(monkeypatch):
    """A receiver on loopback, which the settings of development let deliveries reach."""
    monkeypatch.setattr(sending, "env", replace(env, webhook_allow_private=True))
    with listening() as found:
        yield found


@pytest.fixture
def subscription(cast, receiver):
    """A subscription of the clinic to the receiver."""
    with within(cast.sud):
        return subscriptions.create(by=BY, url=receiver.url, events=["*"], description="CRM")


def only(clinic, model):
    with within(clinic):
        return model.objects.get()


class TestTheSecret:
    def add(self, ion, **changes):
        sheet = {"url": "https://hooks.example.org/rx", "events": ["appointment.created", "form.signed"], **changes}
        return ion.post(f"{LIST}add/", sheet)

    def test_is_shown_once_after_creation(self, cast, office):
        ion = office(cast.ion)

        shown = self.add(ion)

        made = only(cast.sud, WebhookSubscription)
        assert made.events == ["appointment.created", "form.signed"]
        assert SECRET.search(shown.html)[0] == made.secret
        assert "no-store" in shown.headers["Cache-Control"]
        again = ion.get(f"{LIST}{made.pk}/secret/")
        assert made.secret not in again.html
        assert "warning: A secret is shown once only. If it is lost, rotate it." in again.messages
        for path in (LIST, f"{LIST}{made.pk}/change/", f"{LIST}{made.pk}/history/", f"{LIST}{made.pk}/rotate/", SENT):
            page = ion.get(path)
            assert page.status == 200
            assert made.secret not in page.html
            assert SECRET.search(page.html) is None

    def test_waits_sealed_for_the_page_that_shows_it(self, cast, office):
        ion = office(cast.ion)
        ion.client.post(f"{LIST}add/", {"url": "https://h.example/", "events": ["*"]})  # the redirect is not followed

        made = only(cast.sud, WebhookSubscription)

        kept = str([session.get_decoded() for session in Session.objects.all()])
        assert "shown_once" in kept
        assert made.secret not in kept
        assert made.secret not in office(cast.vera, cast.sud).get(f"{LIST}{made.pk}/secret/").html
        assert made.secret in ion.get(f"{LIST}{made.pk}/secret/").html

    def test_is_not_kept_for_long(self, cast, office, monkeypatch):
        from apps.organizations.admin import shown_once

        ion = office(cast.ion)
        ion.client.post(f"{LIST}add/", {"url": "https://h.example/", "events": ["*"]})
        made = only(cast.sud, WebhookSubscription)
        monkeypatch.setattr(shown_once, "SECONDS", 0)
        late = shown_once.time.time() + 200
        monkeypatch.setattr(shown_once.time, "time", lambda: late)

        assert made.secret not in ion.get(f"{LIST}{made.pk}/secret/").html

    def test_is_rotated_with_a_day_of_both(self, cast, office, subscription):
        ion = office(cast.ion)
        ask = ion.get(f"{LIST}{subscription.pk}/rotate/")
        assert "For 24 hours every message carries two signatures" in ask.text
        assert "stops signing at once" not in ask.text

        shown = ion.post(f"{LIST}{subscription.pk}/rotate/")

        now = only(cast.sud, WebhookSubscription)
        assert now.secret != subscription.secret
        assert now.secret in shown.html
        assert subscription.secret not in shown.html
        assert "the old secret too" in shown.text
        assert "the old one signs too, until" in ion.get(f"{LIST}{now.pk}/change/").text
        assert "stops signing at once" in ion.get(f"{LIST}{now.pk}/rotate/").text

    def test_an_address_that_leads_inside_is_refused_at_its_field(self, cast, office):
        page = self.add(office(cast.ion), url="https://169.254.169.254/")

        assert page.status == 200
        assert "a private, loopback or reserved address is not accepted" in page.text
        with within(cast.sud):
            assert not WebhookSubscription.objects.exists()

    def test_everything_wins_over_single_events(self, cast, office):
        self.add(office(cast.ion), events=["*", "form.signed"])

        assert only(cast.sud, WebhookSubscription).events == ["*"]


class TestWhoSeesIt:
    def pages(self, key):
        return [
            LIST, f"{LIST}add/", f"{LIST}{key}/change/", f"{LIST}{key}/history/", f"{LIST}{key}/delete/",
            f"{LIST}{key}/rotate/", f"{LIST}{key}/secret/", f"{LIST}{key}/deliveries/", SENT,
            f"{LIST}moves/test/?ids={key}",
        ]  # fmt: skip

    @pytest.mark.parametrize("who", ["sara", "mara"])
    def test_staff_who_are_no_admins_see_nothing_of_it(self, who, cast, office, subscription):
        person = office(getattr(cast, who))

        assert "webhook" not in person.get("/admin/organizations/").html.lower()
        for path in self.pages(subscription.pk):
            assert (path, person.get(path).status in (403, 404)) == (path, True)
            person.post(path)
        assert only(cast.sud, WebhookSubscription).secret == subscription.secret

    def test_another_clinics_are_not_there(self, cast, office, subscription):
        nora = office(cast.nora)

        assert subscription.url not in nora.get(LIST).html
        for path in self.pages(subscription.pk):
            if path not in (LIST, f"{LIST}add/", SENT, f"{LIST}{subscription.pk}/deliveries/"):
                assert (path, nora.get(path).status) == (path, 404)

    def test_a_superadmin_over_all_clinics_reads(self, cast, office, subscription):
        root = office(cast.root)

        assert subscription.url in root.get(LIST).html
        assert "Clinica Sud" in root.get(LIST).text
        page = root.get(f"{LIST}{subscription.pk}/change/")
        assert page.status == 200
        assert 'name="_save"' not in page.html
        assert root.get(f"{LIST}{subscription.pk}/rotate/").status == 403


class TestTheList:
    def test_shows_state_and_is_filtered(self, cast, office, subscription):
        ion = office(cast.ion)
        with within(cast.sud):
            off = subscriptions.create(by=BY, url="https://off.example/", events=["form.signed"], is_active=False)
            WebhookSubscription.objects.filter(pk=subscription.pk).update(
                failing_since=clock.now() - timedelta(days=1), consecutive_failures=3
            )

        text = ion.get(LIST).text

        assert "everything" in text
        assert "active, failing" in text
        assert "off: " in text
        assert off.url not in ion.get(LIST, is_active__exact=1).html
        assert subscription.url not in ion.get(LIST, disabled_reason__exact="manual").html

    def test_switches_off_and_on(self, cast, office, subscription):
        ion = office(cast.ion)

        ion.post(f"{LIST}moves/deactivate/?ids={subscription.pk}")
        assert only(cast.sud, WebhookSubscription).disabled_reason == "manual"
        page = ion.post(f"{LIST}moves/activate/?ids={subscription.pk}")

        assert only(cast.sud, WebhookSubscription).is_active
        assert "success: Activate: done." in page.messages

    def test_sends_a_test_and_tells_what_came_of_it(self, cast, office, subscription, receiver):
        ion = office(cast.ion)
        receiver.answers = [(200, b"ok"), (500, b"no")]
        path = f"{LIST}moves/test/?ids={subscription.pk}"

        good, bad = ion.post(path), ion.post(path)

        assert re.fullmatch(r"success: CRM: answered 200 after \d+ ms", good.messages[0])
        assert re.fullmatch(r"error: Error: CRM: answered 500 after \d+ ms", bad.messages[0])
        assert len(receiver.received) == 2
        listed = ion.post(LIST, {"action": "test", "_selected_action": [subscription.pk]})
        assert "CRM" in listed.text
        assert len(receiver.received) == 2  # asks first

    def test_a_test_keeps_the_limit_of_the_api(self, cast, office, api, subscription, receiver):
        ion = office(cast.ion)
        for _ in range(10):
            assert api(cast.ion).post(f"/v1/webhook-subscriptions/{subscription.uid}/test").status == 200

        page = ion.post(f"{LIST}moves/test/?ids={subscription.pk}")

        assert page.messages[0].startswith("error: Error: CRM: Too many requests")
        assert len(receiver.received) == 10

    def test_the_history_tells_who_changed_what(self, cast, office, subscription):
        ion = office(cast.ion)
        page = ion.get(f"{LIST}{subscription.pk}/change/")
        ion.post(f"{LIST}{subscription.pk}/change/", {**page.filled(description="Mailing list"), "events": ["*"]})

        history = ion.get(f"{LIST}{subscription.pk}/history/").text

        assert "Mailing list" in history
        assert "Ion Admin" in history


class TestADelivery:
    @pytest.fixture
    def page_of(self, cast, office, subscription, receiver):
        """Sends a test that is answered so, and opens its page."""

        def of(status=200, text=b"thanks"):
            receiver.answers = [(status, text)]
            ion = office(cast.ion)
            ion.post(f"{LIST}moves/test/?ids={subscription.pk}")
            delivery = only(cast.sud, WebhookDelivery)
            return ion, delivery, ion.get(f"{SENT}{delivery.pk}/change/")

        return of

    def test_shows_attempts_content_and_answer(self, page_of):
        _, _, page = page_of(500, b"<script>alert(1)</script>")

        assert "Attempt 1" in page.text
        assert "it answered, but not with a 2xx status" in page.text
        assert "<script>alert(1)" not in page.html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.html
        assert "webhook.test" in page.text
        assert '"subscription_uid"' in page.text
        assert SECRET.search(page.html) is None

    def test_gives_a_command_that_a_receiver_would_take(self, page_of, subscription, receiver):
        _, _, page = page_of()
        (curl,) = re.findall(r'<pre id="code-curl"[^>]*><code>(.*?)</code>', page.html, re.DOTALL)
        from html import unescape

        words = shlex.split(unescape(curl).replace("\\\n", ""))
        headers = dict(word.split(": ", 1) for word in words if ": " in word and not word.startswith("{"))

        assert words[:3] == ["curl", "--globoff", receiver.url]
        assert words[-1].encode() == receiver.received[0].body
        assert signatures.verify(
            [subscription.secret],
            message_id=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            body=words[-1].encode(),
            signatures=headers["webhook-signature"],
        )
        assert abs(int(headers["webhook-timestamp"]) - clock.now().timestamp()) < 60

    def test_is_sent_again_after_being_asked(self, page_of, receiver):
        ion, delivery, _ = page_of(500, b"no")
        ask = ion.get(f"{SENT}moves/resend/?ids={delivery.pk}")
        assert "A receiver that has taken it before gets it twice" in ask.text
        receiver.answers = [(200, b"ok")]

        page = ion.post(f"{SENT}moves/resend/?ids={delivery.pk}")

        assert re.fullmatch(r"success: #\d+ webhook.test: answered 200 after \d+ ms", page.messages[0])
        assert "Attempt 2" in page.text
        assert "Delivered" in page.text
        first, second = receiver.received
        assert json.loads(first.body) == json.loads(second.body)

    def test_of_a_subscription_that_is_off_is_not_sent_again(self, cast, page_of, subscription):
        ion, delivery, _ = page_of()
        with within(cast.sud):
            subscriptions.change(subscription, by=BY, is_active=False)

        page = ion.post(f"{SENT}moves/resend/?ids={delivery.pk}")

        assert "The webhook subscription is inactive" in page.messages[0]

    def test_outlives_its_subscription_without_a_command(self, cast, page_of, subscription):
        ion, delivery, _ = page_of()
        with within(cast.sud):
            subscriptions.delete(subscription, by=BY)

        page = ion.get(f"{SENT}{delivery.pk}/change/")

        assert page.status == 200
        assert "code-curl" not in page.html
        assert "The subscription is gone" in page.text

    def test_is_found_by_subscription_type_and_status(self, cast, page_of, subscription):
        ion, delivery, _ = page_of()
        row = f"{SENT}{delivery.pk}/change/"

        assert row in ion.get(f"{LIST}{subscription.pk}/deliveries/").html
        assert row in ion.get(SENT, type="webhook.test").html
        assert row not in ion.get(SENT, type="form.signed").html
        assert row in ion.get(SENT, status__exact="delivered").html
        assert row not in ion.get(SENT, status__exact="retrying").html

    def test_nothing_of_it_can_be_edited(self, page_of):
        ion, delivery, page = page_of()

        assert 'name="_save"' not in page.html
        assert ion.get(f"{SENT}add/").status == 403
        assert ion.get(f"{SENT}{delivery.pk}/delete/").status == 403
