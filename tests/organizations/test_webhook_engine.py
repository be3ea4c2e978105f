"""Deliveries from the fact to the receiver, by a clock that the test turns: scenarios 10, 11 and 13 of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction

from apps.organizations.domain import sharing
from apps.organizations.domain.retries import DELAYS
from apps.organizations.errors import LimitReached
from apps.organizations.models import Fact, WebhookAttempt, WebhookDelivery, WebhookPace, WebhookSubscription
from apps.organizations.services import deliveries, dispatching, facts, organizations, relay, subscriptions
from apps.scheduling.facts import AppointmentNoShow, AppointmentRescheduled
from restartix.kernel import clock, signatures
from restartix.kernel.errors import Invalid
from restartix.kernel.outbound.posting import Poster
from restartix.kernel.outbound.resolving import resolver
from restartix.kernel.tenancy import Actor, acting_for
from tests.organizations.receivers import Receiver, answer, receiver

pytestmark = pytest.mark.django_db
TESTER = Actor.system("test")
EVENT = AppointmentNoShow(appointment_id=1, appointment_uid="u", specialist_id=2, patient_id=3)


class Time:
    """A clock that stands until the test turns it."""

    def __init__(self) -> None:
        self.now = clock.now() + timedelta(minutes=1)  # what is recorded in the test is due

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def time_() -> Time:
    return Time()


@pytest.fixture
def send(time_: Time) -> Callable[..., int]:
    """Send what is due by the turned clock, to this machine too."""

    def run(**options: object) -> int:
        poster = Poster(lambda host, address: True, resolve=resolver(), timeout_seconds=1.0)
        return dispatching.run(dispatching.Sender(poster=poster, now=lambda: time_.now, chance=lambda: 0.0, **options))

    return run


@pytest.fixture
def sud(cast):
    with acting_for(cast.sud.pk, actor=TESTER):
        yield cast.sud


def subscribe(to: Receiver | str, events: tuple[str, ...] = ("*",), **fields: object) -> WebhookSubscription:
    url = to if isinstance(to, str) else to.url
    return WebhookSubscription.objects.create(url=url, events=list(events), secret=signatures.new_secret(), **fields)


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


class TestAFact:
    def test_is_delivered_once_to_each_who_listens(self, sud, send) -> None:
        with receiver() as one, receiver() as all_, receiver() as other, receiver() as off:
            subscribe(one, ("appointment.noshow", "form.signed"))
            subscribe(all_)
            subscribe(other, ("appointment.created",))
            subscriptions.change(subscribe(off), by=TESTER, is_active=False)
            fact = facts.record(EVENT)
            assert send() == 2
            assert send() == 0

        assert [len(each.received) for each in (one, all_, other, off)] == [1, 1, 0, 0]
        assert one.received[0].id == fact.event_id
        assert {each.status for each in WebhookDelivery.objects.all()} == {"delivered"}

    def test_is_written_with_its_deliveries_in_one_statement(self, sud, django_assert_num_queries) -> None:
        subscribe("https://hooks.example.org/")
        subscribe("https://hooks.example.net/")

        with django_assert_num_queries(1):
            facts.record(EVENT)

        assert WebhookDelivery.objects.count() == 2

    def test_inside_the_platform_is_never_delivered(self, sud) -> None:
        subscribe("https://hooks.example.org/")

        fields = {name: 1 for name in AppointmentRescheduled.__dataclass_fields__ if name != "name"}
        facts.record(AppointmentRescheduled(**fields))

        assert not WebhookDelivery.objects.exists()

    def test_of_a_change_that_fails_leaves_no_delivery(self, sud) -> None:
        subscribe("https://hooks.example.org/")

        with transaction.atomic():
            facts.record(EVENT)
            transaction.set_rollback(True)

        assert not WebhookDelivery.objects.exists()
        assert not Fact.objects.filter(name=EVENT.name).exists()

    def test_of_one_clinic_is_not_told_to_another(self, cast, send) -> None:
        with receiver() as theirs:
            with acting_for(cast.nord.pk, actor=TESTER):
                subscribe(theirs)
            with acting_for(cast.sud.pk, actor=TESTER):
                facts.record(EVENT)
            assert send() == 0

        assert theirs.received == []


class TestARequest:
    def test_has_the_headers_and_the_body_of_the_contract(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscription = subscribe(hook)
            fact = facts.record(EVENT)
            send()
        (got,) = hook.received

        assert got.headers["content-type"] == "application/json"
        assert got.headers["user-agent"] == "RestartiX-Webhooks/1"
        assert int(got.headers["webhook-timestamp"]) == int(time_.now.timestamp())
        assert list(json.loads(got.body)) == ["id", "type", "timestamp", "organization_id", "data"]
        assert json.loads(got.body)["organization_id"] == sud.pk
        assert json.loads(got.body)["data"] == fact.payload
        assert signatures.verify(
            [subscription.secret],
            message_id=got.id,
            timestamp=got.headers["webhook-timestamp"],
            body=got.body,
            signatures=got.headers["webhook-signature"],
        )

    def test_is_signed_by_both_secrets_for_a_day_after_a_rotation(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscription = subscribe(hook)
            old = subscription.secret
            new = subscriptions.rotate_secret(subscription, by=TESTER).secret
            facts.record(EVENT)
            send()
            time_.turn(hours=25)
            facts.record(EVENT)
            send()

        def signed_by(secret: str, number: int) -> bool:
            got = hook.received[number]
            return signatures.verify(
                [secret],
                message_id=got.id,
                timestamp=got.headers["webhook-timestamp"],
                body=got.body,
                signatures=got.headers["webhook-signature"],
            )

        assert old != new
        assert [signed_by(new, 0), signed_by(old, 0)] == [True, True]
        assert [signed_by(new, 1), signed_by(old, 1)] == [True, False]
        assert len(hook.received[0].headers["webhook-signature"].split()) == 2

    def test_comes_again_with_the_same_bytes(self, sud, send, time_) -> None:
        with receiver(answer(500)) as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()
            time_.turn(minutes=1)
            send()

        first, second = hook.received
        assert first.body == second.body
        assert first.id == second.id
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


class TestTheSchedule:
    def test_ends_with_success_at_the_sixth(self, sud, send, time_) -> None:
        with receiver(answer(500, b"no")) as hook:
            subscribe(hook)
            facts.record(EVENT)
            for delay in DELAYS:
                assert send() == 1
                assert only().status == "retrying"
                assert only().next_attempt_at == time_.now + delay
                time_.now = only().next_attempt_at - timedelta(seconds=1)
                assert send() == 0
                time_.turn(seconds=1)
            hook.behave = answer(204)
            send()

        assert (only().status, only().attempt_count, only().next_attempt_at) == ("delivered", 6, None)
        assert len({got.id for got in hook.received}) == 1
        assert len({got.headers["webhook-timestamp"] for got in hook.received}) == 6
        attempts = list(WebhookAttempt.objects.order_by("number"))
        assert [each.number for each in attempts] == [1, 2, 3, 4, 5, 6]
        assert {each.kind for each in attempts} == {"scheduled"}
        assert [each.error for each in attempts] == ["http_status"] * 5 + [None]
        assert attempts[0].response_snippet == "no"
        subscription = WebhookSubscription.objects.get()
        assert (subscription.consecutive_failures, subscription.failing_since) == (0, None)
        assert subscription.last_delivery_at == time_.now

    def test_is_exhausted_after_six(self, sud, send, time_) -> None:
        with receiver(answer(503)) as hook:
            subscribe(hook)
            facts.record(EVENT)
            for _ in range(6):
                send()
                time_.turn(hours=17)
            assert send() == 0

        assert len(hook.received) == 6
        assert (only().status, only().attempt_count) == ("exhausted", 6)
        assert WebhookSubscription.objects.get().consecutive_failures == 6

    @pytest.mark.parametrize(
        ("code", "error"), [(301, "redirect"), (302, "redirect"), (400, "http_status"), (429, "http_status")]
    )
    def test_takes_nothing_but_2xx_for_success(self, sud, send, code: int, error: str) -> None:
        with receiver() as elsewhere, receiver(answer(code, headers={"Location": elsewhere.url})) as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()

        assert elsewhere.received == []
        assert only().status == "retrying"
        assert [(each.error, each.response_code) for each in WebhookAttempt.objects.all()] == [(error, code)]

    def test_ends_at_once_at_410(self, sud, send, time_) -> None:
        with receiver(answer(410)) as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()
            facts.record(EVENT)

        subscription = WebhookSubscription.objects.get()
        assert only().status == "exhausted"
        assert (subscription.is_active, subscription.disabled_reason) == (False, "gone")
        assert subscription.disabled_at == time_.now

    def test_gives_a_receiver_up_after_five_days_and_tells_the_admins(self, sud, send, time_) -> None:
        with receiver(answer(500)) as hook:
            subscribe(hook)
            for _ in range(2):
                facts.record(EVENT)
            began = time_.now
            while WebhookSubscription.objects.get().is_active:
                send()
                time_.turn(hours=17)
                if not WebhookDelivery.objects.filter(next_attempt_at__isnull=False).exists():
                    facts.record(EVENT)
                    WebhookDelivery.objects.filter(status="pending").update(next_attempt_at=time_.now)
                assert time_.now < began + timedelta(days=9)

        subscription = WebhookSubscription.objects.get()
        assert subscription.disabled_reason == "failing"
        assert subscription.failing_since == began
        assert subscription.disabled_at >= began + timedelta(days=5)
        assert subscription.consecutive_failures >= 10
        assert not WebhookDelivery.objects.filter(status__in=["pending", "retrying"]).exists()
        relay.run()
        assert [each.subject for each in mail.outbox] != []
        assert hook.url in mail.outbox[0].body


class TestTheCeiling:
    def test_lets_fifty_begin_in_five_seconds_and_drops_none(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscribe(hook)
            for _ in range(120):
                facts.record(EVENT)
            counts = []
            for _ in range(3):
                send(run_seconds=4.0)
                counts.append(len(hook.received))
                time_.turn(seconds=6)

        assert counts == [50, 100, 120]

    def test_of_one_clinic_does_not_hold_up_another(self, cast, send) -> None:
        with receiver() as busy, receiver() as quiet:
            with acting_for(cast.sud.pk, actor=TESTER):
                subscribe(busy)
                for _ in range(80):
                    facts.record(EVENT)
            with acting_for(cast.nord.pk, actor=TESTER):
                subscribe(quiet)
                facts.record(EVENT)
            send(run_seconds=5.0)

        assert len(quiet.received) == 1
        assert len(busy.received) == 50

    def test_is_kept_in_the_database(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()

        assert WebhookPace.objects.get().begun == [time_.now]


class TestASuspendedClinic:
    def test_is_sent_nothing_until_it_is_served_again(self, sud, send) -> None:
        with receiver() as hook:
            subscribe(hook)
            facts.record(EVENT)
            organizations.suspend(sud, by=Actor(kind="user", id=1, is_superadmin=True))
            assert send() == 0
            organizations.reactivate(sud, by=Actor(kind="user", id=1, is_superadmin=True))
            assert send() == 1

        assert len(hook.received) == 1


class TestASubscription:
    def test_that_is_switched_off_has_its_waiting_deliveries_discarded(self, sud, send) -> None:
        with receiver() as hook:
            subscription = subscribe(hook)
            facts.record(EVENT)
            changed = subscriptions.change(subscription, by=TESTER, is_active=False)
            assert send() == 0

        assert (changed.disabled_reason, only().status) == ("manual", "discarded")
        assert only().completed_at is not None

    def test_that_is_switched_on_again_forgets_its_failures(self, sud, time_) -> None:
        subscription = subscribe("https://hooks.example.org/")
        WebhookSubscription.objects.update(consecutive_failures=4, failing_since=time_.now)
        subscriptions.change(subscription, by=TESTER, is_active=False)

        changed = subscriptions.change(subscription, by=TESTER, is_active=True)

        assert (changed.consecutive_failures, changed.failing_since, changed.disabled_reason) == (0, None, None)

    def test_that_is_said_to_be_on_while_it_is_forgets_its_failures_other_changes_keep_them(self, sud, time_) -> None:
        subscription = subscribe("https://hooks.example.org/")
        WebhookSubscription.objects.update(consecutive_failures=4, failing_since=time_.now)

        described = subscriptions.change(subscription, by=TESTER, description="CRM")
        activated = subscriptions.change(subscription, by=TESTER, is_active=True)

        assert (described.consecutive_failures, described.failing_since) == (4, time_.now)
        assert (activated.consecutive_failures, activated.failing_since) == (0, None)

    def test_that_is_removed_keeps_no_secret(self, sud) -> None:
        subscription = subscribe("https://hooks.example.org/")
        facts.record(EVENT)

        subscriptions.delete(subscription, by=TESTER)

        assert not WebhookSubscription.objects.exists()
        assert WebhookSubscription.with_deleted.get().secret is None
        assert only().status == "discarded"

    def test_goes_with_its_clinic(self, sud) -> None:
        subscribe("https://hooks.example.org/")

        subscriptions.delete_all(by=TESTER)

        assert not WebhookSubscription.objects.exists()

    def test_is_one_of_twenty(self, sud) -> None:
        for _ in range(20):
            subscriptions.create(by=TESTER, url="https://hooks.example.org/", events=["*"])

        with pytest.raises(LimitReached):
            subscriptions.create(by=TESTER, url="https://hooks.example.org/", events=["*"])

    def test_names_what_is_wrong_with_it(self, sud) -> None:
        with pytest.raises(Invalid) as refused:
            subscriptions.create(by=TESTER, url="http://hooks.example.org/", events=["form.singed"])

        assert set(refused.value.fields) == {"url", "events[0]"}


class TestPurging:
    def test_takes_what_is_over_after_thirty_days(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()
        waiting = facts.record(EVENT)
        old = datetime.now(UTC) - timedelta(days=31)
        WebhookDelivery.objects.update(created_at=old)
        Fact.objects.update(at=old, relayed_at=old)

        assert deliveries.purge() >= 1
        assert [each.fact_id for each in WebhookDelivery.objects.all()] == [waiting.pk]
        assert not WebhookAttempt.objects.exists()
        assert Fact.objects.filter(pk=waiting.pk).exists()

    def test_leaves_what_is_younger(self, sud, send) -> None:
        with receiver() as hook:
            subscribe(hook)
            facts.record(EVENT)
            send()

        assert deliveries.purge() == 0


class TestALease:
    def test_that_ran_out_lets_another_sender_send_the_same_again(self, sud, send, time_) -> None:
        with receiver() as hook:
            subscribe(hook)
            fact = facts.record(EVENT)
            WebhookDelivery.objects.update(
                lease_until=time_.now + timedelta(seconds=20), lease_token="3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"
            )
            assert send() == 0
            time_.turn(seconds=21)
            assert send() == 1

        assert [got.id for got in hook.received] == [fact.event_id]

    def test_share_of_one_subscription_is_small(self) -> None:
        assert sharing.OF_SUBSCRIPTION <= sharing.AT_ONCE * 0.1
