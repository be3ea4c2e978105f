"""Webhook subscriptions and their deliveries over the API."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.domain.webhooks import EVENT_TYPES
from apps.organizations.models import AuditEntry, Organization, WebhookSubscription
from apps.organizations.services import sending
from restartix.environment import env
from restartix.kernel import clock
from tests.make.organizations import within
from tests.receiver import listening

HOOKS = "/v1/webhook-subscriptions"
URL = "https://hooks.example.org/rx"
NOBODY = "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"
KEYS = [
    "uid", "url", "description", "events", "is_active", "previous_secret_expires_at", "consecutive_failures",
    "failing_since", "disabled_at", "disabled_reason", "last_delivery_at", "created_at", "updated_at",
]  # fmt: skip
DELIVERY_KEYS = [
    "id", "event_id", "event_type", "status", "attempt_count", "next_attempt_at", "attempts", "payload", "created_at",
    "completed_at",
]  # fmt: skip
ATTEMPT_KEYS = ["number", "kind", "at", "duration_ms", "response_code", "error", "response_snippet"]


def subscribe(api, **changes):
    return api.post(HOOKS, {"url": URL, "events": ["appointment.created"], **changes})


@pytest.fixture
def receiver(monkeypatch):
    """A receiver on loopback, which the settings of development let deliveries reach."""
    monkeypatch.setattr(sending, "env", replace(env, webhook_allow_private=True))
    with listening() as found:
        yield found


class TestMaking:
    def test_answers_with_the_secret_this_once(self, cast, api):
        ion = api(cast.ion)

        made = subscribe(ion, description="CRM")

        assert made.status == 201
        assert made.headers["Location"] == f"{HOOKS}/{made.data['uid']}"
        assert set(made.data) == {*KEYS, "secret"}
        assert made.data["secret"].startswith("whsec_")
        assert {name: made.data[name] for name in ("url", "description", "events", "is_active")} == {
            "url": URL,
            "description": "CRM",
            "events": ["appointment.created"],
            "is_active": True,
        }
        read = ion.get(f"{HOOKS}/{made.data['uid']}")
        assert set(read.data) == set(KEYS)
        assert read.headers["ETag"]
        listed = ion.get(HOOKS).data
        assert [set(each) for each in listed] == [set(KEYS)]
        changed = ion.patch(f"{HOOKS}/{made.data['uid']}", {"description": None})
        assert set(changed.data) == set(KEYS)

    def test_keeps_the_secret_out_of_the_record_and_the_database(self, cast, api):
        made = api(cast.ion).post(HOOKS, {"url": URL, "events": ["*"]}, Idempotency_Key="the-same-click")
        again = api(cast.ion).post(HOOKS, {"url": URL, "events": ["*"]}, Idempotency_Key="the-same-click")
        secret = made.data["secret"]

        assert again.data == made.data
        assert again.headers["Idempotency-Replayed"] == "true"
        with within(cast.sud):
            assert WebhookSubscription.objects.count() == 1
            trail = json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))
        assert secret not in trail
        with within(cast.sud), connection.cursor() as cursor:
            for table in ("organizations_webhooksubscription", "organizations_idempotencyrecord"):
                cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
                (written,) = cursor.fetchone()
                assert written
                assert secret not in written
                assert secret.encode().hex() not in written

    def test_can_begin_switched_off(self, cast, api):
        made = subscribe(api(cast.ion), is_active=False)

        assert (made.data["is_active"], made.data["disabled_reason"]) == (False, "manual")
        assert made.data["disabled_at"]

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.5]/",
            "https://169.254.169.254/",
            "http://hooks.example.org/",
            "https://u:p@h.example/",
            "https://h.example/#part",
            "ftp://h.example/",
            "not an address",
            "",
            None,
            7,
            f"https://h.example/{'a' * 2040}",
        ],
    )
    def test_refuses_addresses_that_lead_inside_or_nowhere(self, url, cast, api):
        assert list(subscribe(api(cast.ion), url=url).fields) == ["url"]

    @pytest.mark.parametrize(
        ("events", "path"),
        [
            (["*", "form.signed"], "events"),
            (["form.singed"], "events[0]"),
            (["form.signed", "webhook.test"], "events[1]"),
            (["form.signed", "form.signed"], "events[1]"),
            ([], "events"),
            ("form.signed", "events"),
            (None, "events"),
            ([None], "events[0]"),
        ],
    )
    def test_refuses_events_that_are_not_in_the_catalogue(self, events, path, cast, api):
        assert path in subscribe(api(cast.ion), events=events).fields

    def test_names_everything_that_is_wrong(self, cast, api):
        ion = api(cast.ion)

        assert set(ion.post(HOOKS, {"is_active": "yes", "urll": URL}).fields) == {"url", "events", "is_active", "urll"}
        assert set(ion.post(HOOKS, {"url": URL, "events": ["*"], "secret": "mine"}).fields) == {"secret"}
        assert set(subscribe(ion, description="d" * 201).fields) == {"description"}

    def test_stops_at_twenty(self, cast, api):
        ion = api(cast.ion)
        for number in range(20):
            assert subscribe(ion, url=f"{URL}/{number}").status == 201

        refused = subscribe(ion)

        assert (refused.status, refused.code) == (409, "limit_reached")
        assert subscribe(api(cast.nora)).status == 201
        assert ion.delete(f"{HOOKS}/{ion.get(HOOKS).data[0]['uid']}").status == 204
        assert subscribe(ion).status == 201


class TestTheList:
    def test_is_filtered_and_sorted(self, cast, api):
        ion = api(cast.ion)
        for number, (events, active) in enumerate(
            [(["*"], True), (["form.signed"], False), (["patient.updated"], True)]
        ):
            subscribe(ion, url=f"https://{'cab'[number]}.example/", events=events, is_active=active)
        urls = lambda query="": [each["url"][8] for each in ion.get(HOOKS + query).data]  # noqa: E731

        assert urls() == ["b", "a", "c"]
        assert urls("?sort=created_at") == ["c", "a", "b"]
        assert urls("?sort=url") == ["a", "b", "c"]
        assert urls("?is_active=true") == ["b", "c"]
        assert urls("?is_active=false") == ["a"]
        assert urls("?event=form.signed") == ["a", "c"]
        assert urls("?event=form.signed,patient.updated&sort=url") == ["a", "b", "c"]
        assert ion.get(f"{HOOKS}?event=form.singed").status == 422
        assert ion.get(f"{HOOKS}?url=x").status == 422
        assert ion.get(f"{HOOKS}?sort=secret").status == 422

    def test_costs_the_same_for_many(self, cast, api):
        ion = api(cast.ion)
        counts = []
        for number in (1, 8):
            for each in range(number):
                subscribe(ion, url=f"{URL}/{number}/{each}")
            ion.get(HOOKS)
            with CaptureQueriesContext(connection) as statements:
                ion.get(HOOKS)
            counts.append(len(statements))
        assert counts[0] == counts[1]


class TestWhoMay:
    def operations(self, uid):
        body = {"url": URL, "events": ["*"]}
        return [
            ("GET", HOOKS, None),
            ("POST", HOOKS, body),
            ("GET", f"{HOOKS}/{uid}", None),
            ("PATCH", f"{HOOKS}/{uid}", {"description": "x"}),
            ("PUT", f"{HOOKS}/{uid}", {"description": "x"}),
            ("DELETE", f"{HOOKS}/{uid}", None),
            ("POST", f"{HOOKS}/{uid}/rotate-secret", {}),
            ("POST", f"{HOOKS}/{uid}/test", {}),
            ("GET", f"{HOOKS}/{uid}/events", None),
            ("GET", f"{HOOKS}/{uid}/events?nonsense=1", None),
            ("POST", f"{HOOKS}/{uid}/events/1/resend", {}),
        ]

    @pytest.mark.parametrize("who", ["sara", "mara", "ana"])
    def test_others_are_refused_whatever_the_path_names(self, who, cast, api):
        own = subscribe(api(cast.ion)).data["uid"]
        person = api(getattr(cast, who))

        for uid in (own, NOBODY):
            for method, path, body in self.operations(uid):
                answer = person(method, path, *([] if body is None else [body]))
                assert (method, path, answer.status) == (method, path, 403)

    def test_another_clinics_subscription_does_not_exist(self, cast, api):
        theirs = subscribe(api(cast.nora)).data["uid"]
        ion = api(cast.ion)

        for uid in (theirs, NOBODY):
            for method, path, body in self.operations(uid)[2:]:
                assert (path, ion(method, path, *([] if body is None else [body])).status) == (path, 404)
        assert ion.get(HOOKS).data == []

    def test_a_superadmin_reads_across_and_makes_inside_one(self, cast, api):
        uid = subscribe(api(cast.nora)).data["uid"]
        root = api(cast.root)

        assert [each["uid"] for each in root.get(HOOKS).data] == [uid]
        assert root.patch(f"{HOOKS}/{uid}", {"description": "by Root"}).data["description"] == "by Root"
        assert subscribe(root).code == "organization_required"
        assert subscribe(api(cast.root, cast.sud)).status == 201
        assert api(cast.root, cast.sud).get(f"{HOOKS}/{uid}").status == 404

    def test_nobody_in_particular_is_asked_to_sign_in(self, api):
        assert api().get(HOOKS).status == 401


class TestChanging:
    def test_put_and_patch_change_what_was_sent(self, cast, api):
        ion = api(cast.ion)
        uid = subscribe(ion, description="CRM").data["uid"]

        for change in (ion.put, ion.patch):
            changed = change(f"{HOOKS}/{uid}", {"events": ["form.signed"]})
            assert (changed.status, changed.data["events"], changed.data["description"]) == (
                200,
                ["form.signed"],
                "CRM",
            )
        assert list(ion.patch(f"{HOOKS}/{uid}", {"url": "http://h.example/"}).fields) == ["url"]
        assert ion.patch(f"{HOOKS}/{uid}", {"uid": NOBODY}).fields == {"uid": ["unknown field"]}
        assert ion.patch(f"{HOOKS}/{uid}", {}).status == 200

    def test_heeds_if_match(self, cast, api):
        ion = api(cast.ion)
        uid = subscribe(ion).data["uid"]
        etag = ion.get(f"{HOOKS}/{uid}").headers["ETag"]

        assert ion.patch(f"{HOOKS}/{uid}", {"description": "a"}, If_Match=etag).status == 200
        assert ion.patch(f"{HOOKS}/{uid}", {"description": "b"}, If_Match=etag).code == "precondition_failed"
        assert ion.delete(f"{HOOKS}/{uid}", If_Match=etag).status == 412

    def test_switching_off_and_on_tells_so(self, cast, api):
        ion = api(cast.ion)
        uid = subscribe(ion).data["uid"]

        off = ion.patch(f"{HOOKS}/{uid}", {"is_active": False}).data
        on = ion.patch(f"{HOOKS}/{uid}", {"is_active": True}).data

        assert (off["is_active"], off["disabled_reason"], bool(off["disabled_at"])) == (False, "manual", True)
        assert (on["is_active"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)

    def test_a_removed_one_is_gone(self, cast, api):
        ion = api(cast.ion)
        uid = subscribe(ion).data["uid"]

        assert ion.delete(f"{HOOKS}/{uid}").status == 204
        assert ion.delete(f"{HOOKS}/{uid}").status == 404
        assert ion.get(f"{HOOKS}/{uid}").status == 404
        assert ion.get(f"{HOOKS}/{uid}/events").status == 404
        assert ion.get(HOOKS).data == []

    def test_rotating_gives_a_new_secret_and_a_day(self, cast, api):
        ion = api(cast.ion)
        made = subscribe(ion).data

        rotated = ion.post(f"{HOOKS}/{made['uid']}/rotate-secret")

        assert rotated.status == 200
        assert set(rotated.data) == {*KEYS, "secret"}
        assert rotated.data["secret"] != made["secret"]
        until = datetime.fromisoformat(rotated.data["previous_secret_expires_at"])
        assert abs(until - clock.now() - timedelta(hours=24)) < timedelta(minutes=1)
        assert "secret" not in ion.get(f"{HOOKS}/{made['uid']}").data


class TestTestAndResend:
    def test_a_test_is_sent_now_and_signed(self, cast, api, receiver):
        ion = api(cast.ion)
        made = subscribe(ion, url=receiver.url).data

        answer = ion.post(f"{HOOKS}/{made['uid']}/test")

        assert answer.status == 200
        assert list(answer.data) == DELIVERY_KEYS
        assert (answer.data["status"], answer.data["event_type"]) == ("delivered", "webhook.test")
        (attempt,) = answer.data["attempts"]
        assert list(attempt) == ATTEMPT_KEYS
        assert {**attempt, "at": "", "duration_ms": 0} == {
            "number": 1, "kind": "test", "at": "", "duration_ms": 0, "response_code": 200, "error": None,
            "response_snippet": "thanks",
        }  # fmt: skip
        (received,) = receiver.received
        assert json.loads(received.body) == answer.data["payload"]
        assert list(answer.data["payload"]) == ["id", "type", "timestamp", "organization_id", "data"]
        assert answer.data["payload"]["data"] == {"subscription_uid": made["uid"]}
        assert received.headers["webhook-id"] == answer.data["event_id"] == answer.data["payload"]["id"]
        assert received.is_signed_with(made["secret"])

    def test_a_failing_receiver_is_a_successful_test(self, cast, api, receiver):
        receiver.answers = [(500, b"<b>broken</b>")]
        ion = api(cast.ion)
        made = subscribe(ion, url=receiver.url, is_active=False).data

        answer = ion.post(f"{HOOKS}/{made['uid']}/test", {})

        assert (answer.status, answer.data["status"], answer.data["next_attempt_at"]) == (200, "exhausted", None)
        assert answer.data["attempts"][0]["error"] == "http_status"
        assert answer.data["attempts"][0]["response_code"] == 500
        read = ion.get(f"{HOOKS}/{made['uid']}").data
        assert (read["consecutive_failures"], read["failing_since"]) == (0, None)

    def test_after_a_rotation_both_secrets_sign(self, cast, api, receiver):
        ion = api(cast.ion)
        old = subscribe(ion, url=receiver.url).data
        new = ion.post(f"{HOOKS}/{old['uid']}/rotate-secret").data

        ion.post(f"{HOOKS}/{old['uid']}/test")

        (received,) = receiver.received
        assert len(received.headers["webhook-signature"].split(" ")) == 2
        assert received.is_signed_with(old["secret"])
        assert received.is_signed_with(new["secret"])

    def test_a_delivery_is_sent_again_under_its_id(self, cast, api, receiver):
        receiver.answers = [(500, b"no"), (204, b"")]
        ion = api(cast.ion)
        uid = subscribe(ion, url=receiver.url).data["uid"]
        failed = ion.post(f"{HOOKS}/{uid}/test").data

        again = ion.post(f"{HOOKS}/{uid}/events/{failed['id']}/resend")

        assert (again.status, again.data["status"]) == (200, "delivered")
        assert [(each["number"], each["kind"]) for each in again.data["attempts"]] == [(1, "test"), (2, "resend")]
        first, second = receiver.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        assert ion.post(f"{HOOKS}/{uid}/events/{failed['id']}/resend").status == 200

    def test_an_inactive_subscription_is_sent_nothing_again(self, cast, api, receiver):
        ion = api(cast.ion)
        uid = subscribe(ion, url=receiver.url, is_active=False).data["uid"]
        delivery = ion.post(f"{HOOKS}/{uid}/test").data["id"]

        refused = ion.post(f"{HOOKS}/{uid}/events/{delivery}/resend")

        assert (refused.status, refused.code) == (409, "subscription_inactive")
        assert len(receiver.received) == 1

    def test_a_delivery_belongs_to_its_subscription(self, cast, api, receiver):
        ion = api(cast.ion)
        uid, other = (subscribe(ion, url=receiver.url).data["uid"] for _ in range(2))
        delivery = ion.post(f"{HOOKS}/{uid}/test").data["id"]

        assert ion.post(f"{HOOKS}/{other}/events/{delivery}/resend").status == 404
        assert ion.post(f"{HOOKS}/{uid}/events/99999999999999999999/resend").status == 404

    def test_a_superadmin_without_a_clinic_sends_in_the_subscriptions_own(self, cast, api, receiver):
        made = subscribe(api(cast.nora), url=receiver.url).data
        root = api(cast.root)

        test = root.post(f"{HOOKS}/{made['uid']}/test").data
        again = root.post(f"{HOOKS}/{made['uid']}/events/{test['id']}/resend").data

        assert (test["status"], test["payload"]["organization_id"]) == ("delivered", cast.nord.pk)
        assert [each["kind"] for each in again["attempts"]] == ["test", "resend"]
        assert root.post(f"{HOOKS}/{made['uid']}/rotate-secret").data["secret"] != made["secret"]
        assert api(cast.nora).get(f"{HOOKS}/{made['uid']}/events").ids == [test["id"]]

    @pytest.mark.parametrize("what", ["test", "resend"])
    def test_ten_a_minute_a_subscription_and_not_one_more(self, what, cast, api, receiver):
        ion = api(cast.ion)
        uid, other = (subscribe(ion, url=receiver.url).data["uid"] for _ in range(2))
        delivery, others = (ion.post(f"{HOOKS}/{each}/test").data["id"] for each in (uid, other))
        path = {"test": lambda each, key: "test", "resend": lambda each, key: f"events/{key}/resend"}[what]
        left = 9 if what == "test" else 10

        answers = [ion.post(f"{HOOKS}/{uid}/{path(uid, delivery)}").status for _ in range(left + 1)]

        assert answers == [200] * left + [429]
        assert ion.post(f"{HOOKS}/{other}/{path(other, others)}").status == 200
        assert api(cast.mara).post(f"{HOOKS}/{uid}/{path(uid, delivery)}").status == 403

    def test_the_same_click_sends_once(self, cast, api, receiver):
        ion = api(cast.ion)
        uid = subscribe(ion, url=receiver.url).data["uid"]

        first, again = (ion.post(f"{HOOKS}/{uid}/test", {}, Idempotency_Key="one-click") for _ in range(2))

        assert first.data["id"] == again.data["id"]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.data["status"] == "delivered"
        assert len(receiver.received) == 1


class TestTheDeliveries:
    @pytest.fixture
    def sent(self, cast, api, receiver):
        """A delivered test, a failed one, and the way to their list."""
        receiver.answers = [(200, b"ok"), (500, b"no")]
        ion = api(cast.ion)
        uid = subscribe(ion, url=receiver.url).data["uid"]
        made = [ion.post(f"{HOOKS}/{uid}/test").data for _ in range(2)]
        return ion, f"{HOOKS}/{uid}/events", made

    def test_are_listed_newest_first_as_they_are_answered(self, sent):
        ion, path, (first, second) = sent

        assert ion.get(path).data == [second, first]
        assert ion.get(f"{path}?sort=created_at").ids == [first["id"], second["id"]]
        assert ion.get(f"{path}?sort=next_attempt_at,-created_at").status == 200

    def test_are_filtered(self, sent):
        ion, path, (first, second) = sent
        ids = lambda query: ion.get(path + query).ids  # noqa: E731

        assert ids("?status=delivered") == [first["id"]]
        assert ids("?status=exhausted,pending") == [second["id"]]
        assert ids("?event_type=webhook.test") == [second["id"], first["id"]]
        assert ids("?event_type=appointment.created") == []
        assert ids(f"?event_id={first['event_id']}") == [first["id"]]
        assert ids(f"?created_at.gt={first['created_at']}") == [second["id"]]
        assert ion.get(f"{path}?status=lost").status == 422
        assert ion.get(f"{path}?payload=x").status == 422

    def test_cost_the_same_for_many(self, sent):
        ion, path, _ = sent
        with CaptureQueriesContext(connection) as two:
            ion.get(path)
        for _ in range(6):
            ion.post(path.removesuffix("events") + "test")
        with CaptureQueriesContext(connection) as eight:
            assert len(ion.get(path).data) == 8
        assert len(two) == len(eight)


def test_a_suspended_clinics_admins_are_told_so(cast, api):
    Organization.objects.filter(pk=cast.sud.pk).update(status="suspended")

    assert api(cast.ion, cast.sud).get(HOOKS).details == {"reason": "organization_suspended"}


def test_the_document_promises_every_event_with_its_data():
    from restartix.kernel.api.docs import document

    webhooks = json.loads(document()[0])["webhooks"]

    assert set(webhooks) == {*EVENT_TYPES, "webhook.test"}
    data = {
        name: list(
            each["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]["properties"]
        )
        for name, each in webhooks.items()
    }
    appointment, session = ["appointment_id", "appointment_uid", "specialist_id", "patient_id"], "treatment_session"
    form, document_ = (
        ["form_id", "appointment_id", "patient_id", "specialist_id"],
        ["document_id", "appointment_id", "type"],
    )
    assert data == {
        "appointment.created": [*appointment, "status", "scheduled_at"],
        "appointment.updated": [*appointment, "status", "scheduled_at"],
        "appointment.cancelled": [*appointment, "reason"],
        "appointment.noshow": appointment,
        "patient.onboarded": ["patient_id"],
        "patient.updated": ["patient_id"],
        "form.submitted": form,
        "form.signed": form,
        "document.generated": document_,
        "document.signed": document_,
        "segment.membership_changed": ["segment_id", "patient_id", "action"],
        "treatment_plan.assigned": ["enrolment_id", "treatment_plan_id", "patient_id"],
        f"{session}.completed": ["enrolment_id", "completion_id", "session_number", "patient_id"],
        f"{session}.skipped": ["enrolment_id", "completion_id", "session_number", "patient_id"],
        "product_order.updated": ["order_id", "patient_id", "status"],
        "webhook.test": ["subscription_uid"],
    }
