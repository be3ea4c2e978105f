"""Which addresses count as the public internet, and which URLs a subscription may have: scenario 12 of the contract."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from apps.organizations.domain import webhooks
from apps.organizations.domain.webhooks import Reach
from restartix.kernel.facts import Announcement
from restartix.kernel.outbound.addresses import is_loopback, is_public, literal_of

#: Addresses that a filter written from a list of private ranges lets through sooner or later.
NOT_PUBLIC = [
    # this host, private, shared, link-local
    "0.0.0.0", "0.1.2.3", "10.0.0.5", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254", "169.254.1.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    # assignments, documentation, relays, benchmarking, multicast, reserved
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # IPv6: unspecified, loopback, IPv4 inside, translated, discard, tunnels, documentation, local, multicast
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
    "ff02::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "193.231.1.1",
    "2606:4700::1111",
    "2a00:1450:4001::8b",
    "::ffff:8.8.8.8",
]
LOOPBACK_SPELLINGS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.",
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "[::1]", "::1", "[::ffff:127.0.0.1]", "0:0:0:0:0:0:0:1",
]  # fmt: skip


def test_the_table_has_the_forty_six_addresses_and_more() -> None:
    assert len(set(NOT_PUBLIC)) >= 46


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_of_the_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_let_through(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS)
def test_every_spelling_of_this_machine_is_recognised(spelling: str) -> None:
    address = literal_of(spelling)

    assert address is not None
    assert is_loopback(address)
    assert not is_public(address)


@pytest.mark.parametrize("name", ["example.org", "127.example.org", "1.2.3.4.5", "0x7g", "a.1", "999.1.1.1"])
def test_a_name_is_no_address(name: str) -> None:
    assert literal_of(name) is None


class TestAUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.5]/", "https://169.254.169.254/",
            "http://hooks.example.org/", "https://u:p@h.example/", "https://@h.example/", "https://h.example/#part",
            "https://h.example/#", "https://2130706433/", "https://0x7f.1/", "https://①②⑦.⓪.⓪.①/", "https://[fe80::1%25eth0]/",
            "ftp://h.example/", "https://", "https:///path", "//h.example/", "h.example", "javascript:alert(1)",
            "https://h.example:0/", "https://h.example:99999/", "https://h.example:port/", "https://h example/",
            "https://h.example/\r\nX: y", "https://h.example\\@evil.example/", "https://" + "a" * 2048,
            "https://h.example/ ",
        ],
    )  # fmt: skip
    def test_that_is_unsafe_is_refused(self, url: str) -> None:
        assert set(webhooks.url_problems(url, reach=Reach())) == {"url"}

    @pytest.mark.parametrize(
        "url",
        [
            "https://hooks.example.org/rx", "https://hooks.example.org:8443/rx?a=b&c=%20", "https://bücher.example/",
            "https://8.8.8.8/", "https://[2606:4700::1111]/", "HTTPS://Hooks.Example.Org/",
        ],
    )  # fmt: skip
    def test_that_is_good_is_taken(self, url: str) -> None:
        assert webhooks.url_problems(url, reach=Reach()) == {}

    def test_may_lead_to_this_machine_over_http_in_development_alone(self) -> None:
        lenient = Reach(loopback=True)

        assert webhooks.url_problems("http://127.0.0.1:9999/hook", reach=lenient) == {}
        assert webhooks.url_problems("http://localhost:9999/hook", reach=lenient) == {}
        for url in ("https://127.0.0.1/", "http://hooks.example.org/", "http://10.0.0.5/", "https://169.254.169.254/"):
            assert webhooks.url_problems(url, reach=lenient), url
        assert webhooks.url_problems("http://127.0.0.1:9999/hook", reach=Reach())

    def test_may_lead_to_a_host_that_the_operator_names(self) -> None:
        own = Reach({"10.0.0.5", "Hooks.Internal"})

        for url in ("https://10.0.0.5/", "http://10.0.0.5/x", "http://hooks.internal/", "https://HOOKS.internal/"):
            assert webhooks.url_problems(url, reach=own) == {}
        assert webhooks.url_problems("https://10.0.0.6/", reach=own)
        assert webhooks.url_problems("https://u:p@10.0.0.5/", reach=own)


class TestEvents:
    @pytest.mark.parametrize(
        ("events", "paths"),
        [
            (["form.singed"], {"events[0]"}),
            (["form.signed", "nothing"], {"events[1]"}),
            (["*", "form.signed"], {"events"}),
            ([], {"events"}),
            (["form.signed"] * 2, {"events[1]"}),
            (["webhook.test"], {"events[0]"}),
            (["form.signed"] * 51, {"events"}),
        ],
    )
    def test_that_are_wrong_are_named(self, events: list[str], paths: set[str]) -> None:
        assert set(webhooks.event_problems(events)) == paths

    @pytest.mark.parametrize("events", [["*"], ["form.signed"], list(webhooks.EVENT_TYPES)])
    def test_of_the_catalogue_are_taken(self, events: list[str]) -> None:
        assert webhooks.event_problems(events) == {}

    def test_of_every_app_are_in_the_catalogue(self) -> None:
        def kinds(of: type[Announcement]) -> list[type[Announcement]]:
            return [each for kind in of.__subclasses__() for each in (kind, *kinds(kind))]

        names = {getattr(kind, "name", "") for kind in kinds(Announcement) if kind.__module__.startswith("apps.")}
        told = {name for name in names if name and not name.startswith("internal.")}

        assert told - {"webhook.test"} <= set(webhooks.EVENT_TYPES)
