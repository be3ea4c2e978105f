"""The webhooks console in a real Chromium: readable by everybody, its secret copied and gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apps.organizations.models import Fact, WebhookAttempt, WebhookDelivery, WebhookSubscription
from apps.organizations.services import subscriptions
from restartix.kernel import clock
from tests.browser.watching import Watched
from tests.make.cast import Cast
from tests.make.organizations import SYSTEM, within

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

PASSWORD = "correct horse battery"
#: Each value of each dimension twice, and every pair of them once.
LOOKS = [("ro", False, 390), ("ro", True, 1366), ("en", True, 390), ("en", False, 1366)]
LIST = "/admin/organizations/webhooksubscription/"
SENT = "/admin/organizations/webhookdelivery/"


@pytest.fixture
def delivery(cast: Cast) -> WebhookDelivery:
    """A delivery that was answered with an error page and is tried again in a minute; two subscriptions."""
    cast.ion.user.set_password(PASSWORD)
    cast.ion.user.save()
    with within(cast.sud):
        listener = subscriptions.create(by=SYSTEM, url=f"https://hooks.example.org/{'long/' * 30}", events=["*"])
        subscriptions.create(by=SYSTEM, url="https://off.example.org/", events=["form.signed"], is_active=False)
        fact = Fact.objects.create(
            event_id="evt_01KBC0DE0000000000000000TS",
            name="appointment.noshow",
            payload={"appointment_id": 1, "appointment_uid": "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"},
            relayed_at=clock.now(),
        )
        made = WebhookDelivery.objects.create(
            fact=fact,
            subscription=listener,
            status="retrying",
            attempt_count=2,
            next_attempt_at=clock.now() + timedelta(minutes=10),
        )
        for number, (code, error, text) in enumerate(
            [(None, "timeout", None), (500, "http_status", "<h1>Oops</h1>" * 60)]
        ):
            WebhookAttempt.objects.create(
                delivery=made, number=number + 1, kind="scheduled", at=clock.now(), duration_ms=15_000,
                response_code=code, error=error, response_snippet=text,
            )  # fmt: skip
    return made


@pytest.fixture
def desk(window: Callable[..., Watched], base: str, delivery: WebhookDelivery) -> Callable[..., Watched]:
    """Opens a window in which Ion is signed in."""

    def open_desk(**options: object) -> Watched:
        watched = window(base, **options)
        page = watched.go("/admin/login/")
        page.fill("#id_username", "ion.admin@example.org")
        page.fill("#id_password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/")
        return watched

    return open_desk


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_is_accessible_and_fits(
    desk: Callable[..., Watched], delivery: WebhookDelivery, language: str, dark: bool, width: int
) -> None:
    watched = desk(language=language, dark=dark, width=width)
    key = delivery.subscription_id
    paths = [
        LIST, f"{LIST}add/", f"{LIST}{key}/change/", f"{LIST}{key}/rotate/", f"{LIST}{key}/deliveries/",
        f"{LIST}moves/deactivate/?ids={key}", f"{SENT}{delivery.pk}/change/", f"{SENT}moves/resend/?ids={delivery.pk}",
    ]  # fmt: skip
    found = {}
    for path in paths:
        page = watched.go(path)
        page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
        found[path] = watched.violations()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    watched.go(f"{LIST}{key}/rotate/").locator("main form button").click()
    watched.page.wait_for_selector("#code-secret")
    found["secret"] = watched.violations()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width

    assert {path: problems for path, problems in found.items() if problems} == {}
    assert watched.console == []
    assert watched.outside == []


def test_a_secret_is_copied_by_keyboard_and_does_not_come_back(
    desk: Callable[..., Watched], delivery: WebhookDelivery, cast: Cast
) -> None:
    watched = desk(language="en")
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.go(f"{LIST}add/")
    page.fill("#id_url", "https://hooks.example.org/rx")
    page.get_by_label("appointment.created").check()
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_selector("#code-secret")
    secret = page.locator("#code-secret").inner_text().strip()

    page.locator('[data-copy="code-secret"]').press("Enter")

    expect(page.locator('[data-copy="code-secret"]')).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    with within(cast.sud):
        assert WebhookSubscription.objects.get(url="https://hooks.example.org/rx").secret == secret
    page.reload()
    expect(page.locator(".message.warning")).to_contain_text("A secret is shown once only")
    page.go_back()
    assert secret not in page.content()
    assert watched.console == []


def test_code_can_be_read_and_copied_by_hand_without_script(
    desk: Callable[..., Watched], delivery: WebhookDelivery
) -> None:
    page = desk(language="en", java_script_enabled=False).go(f"{SENT}{delivery.pk}/change/")

    expect(page.locator("#code-curl")).to_contain_text("webhook-signature: v1,")
    expect(page.locator("[data-copy]").first).to_be_hidden()
