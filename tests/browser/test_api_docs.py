"""The page that shows the API, in a real Chromium: complete, and at ease with the content security policy."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.server]


def test_the_page_shows_every_feature_and_loads_nothing_from_elsewhere(window, base):
    watched = window(base, language="en")
    page = watched.go("/v1/docs")
    page.wait_for_selector(".opblock-tag")
    names = {tag.get_attribute("data-tag") for tag in page.query_selector_all(".opblock-tag")}
    assert {"Appointments", "Scheduling", "Specialists", "Organizations"} <= names
    page.click("[data-tag=Appointments]")
    page.wait_for_selector("#operations-Appointments-appointments_list")
    page.click("#operations-Appointments-appointments_list .opblock-summary-control")
    page.wait_for_selector(".responses-table")
    # Swagger UI looks for a widget of its own for 64-bit numbers, says that there is none, and takes the general one.
    watched.console = [line for line in watched.console if not line.startswith("Could not find component: JsonSchema_")]
    watched.check()
