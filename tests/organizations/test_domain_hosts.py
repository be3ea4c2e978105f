"""Host names as a browser shows them."""

import pytest

from apps.organizations.domain.hosts import PlatformHost, normalised, platform_host


@pytest.mark.parametrize(
    ("shown", "stored"),
    [
        ("Portal.Clinica-Sud.example:443", "portal.clinica-sud.example"),
        ("clinica.example.", "clinica.example"),
        ("clinica.example.:8443", "clinica.example"),
        ("CLINICĂ.example", "xn--clinic-n0a.example"),
        ("xn--clinic-n0a.example", "xn--clinic-n0a.example"),
        ("[::1]:8443", "[::1]"),
        ("a..b", "a..b"),
        ("ă..b", "ă..b"),
        ("", ""),
    ],
)
def test_case_port_final_dot_and_script_are_of_no_account(shown, stored):
    assert normalised(shown) == stored


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("clinica-sud.clinic.example.org", PlatformHost("clinica-sud", "clinic")),
        ("clinica-sud.portal.example.org", PlatformHost("clinica-sud", "portal")),
        ("clinica-sud.admin.example.org", None),
        ("portal.example.org", None),
        ("a.b.portal.example.org", None),
        ("example.org", None),
        ("clinica-sud.portal.example.com", None),
        ("clinica-sud.portalexample.org", None),
    ],
)
def test_hosts_below_the_platforms_domain_name_an_organization(host, named):
    assert platform_host(host, base_domain="Example.org") == named
