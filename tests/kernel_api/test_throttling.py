"""Rate limits: exact under concurrency, per caller, told on every answer, and alive without the shared cache."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from restartix.kernel.api import throttling
from restartix.kernel.api.requests import address_behind, network_of
from restartix.kernel.api.throttling import Bucket, Limit, LocalCounters, SharedCounters
from restartix.variables import Rate
from tests.kernel_api.conftest import Api, error_of


def headers_of(answer):
    return tuple(int(answer[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


class TestAnAnswer:
    def test_tells_the_limit_of_a_user(self, ion):
        assert [headers_of(ion.get("/v1/things"))[:2] for _ in range(2)] == [(1000, 999), (1000, 998)]
        assert 1 <= headers_of(ion.get("/v1/things"))[2] <= 60

    def test_tells_the_limit_of_an_address_on_public_operations(self, world):
        assert headers_of(Api().get("/v1/public/nowhere"))[:2] == (100, 99)

    def test_tells_the_limit_nearest_to_exhaustion(self, world, ion):
        thing = world.thing("Long enough")
        assert headers_of(ion.post(f"/v1/things/{thing.pk}/shorten"))[:2] == (5, 4)
        assert headers_of(ion.get("/v1/things"))[:2] == (1000, 998)

    def test_tells_it_too_when_nothing_was_counted(self, world):
        for path in ("/v1/nothing", "/v1/things"):
            assert headers_of(Api().get(path))[:2] == (100, 100)

    def test_of_a_refusal_says_when_to_come_back(self, settings, world, api):
        settings.RATE_LIMIT_USER = Rate.parse("2/m")
        answers = [api("ion").get("/v1/things") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert error_of(answers[2])["code"] == "rate_limited"
        assert 1 <= int(answers[2]["Retry-After"]) <= 60
        assert headers_of(answers[3])[:2] == (2, 0)
        assert api("vera").get("/v1/things").status_code == 200

    def test_after_the_window_is_given_again(self, settings, ion):
        settings.RATE_LIMIT_USER = Rate.parse("1/1s")
        assert [ion.get("/v1/things").status_code for _ in range(2)] == [200, 429]
        time.sleep(1.05)
        assert ion.get("/v1/things").status_code == 200


class TestALimitOfAnOperation:
    def test_is_counted_for_the_caller(self, world, api):
        thing = world.thing("Long enough for this")
        path = f"/v1/things/{thing.pk}/shorten"
        assert [api("ion").post(path).status_code for _ in range(6)] == [200] * 5 + [429]
        assert api("vera").post(path).status_code == 200

    def test_that_is_full_uses_up_none_of_the_others(self, world, settings, api):
        settings.BOOKING_LIMITS = {"shorten": Rate.parse("1/m")}
        thing = world.thing("Long enough for this")
        for _ in range(5):
            api("ion").post(f"/v1/things/{thing.pk}/shorten")
        assert headers_of(api("ion").get("/v1/things"))[:2] == (1000, 998)

    def test_is_overridden_by_the_settings(self, world, settings):
        body = {"thing_id": world.thing().pk}
        settings.BOOKING_LIMITS = {"hold": Rate.parse("1/m")}
        assert [Api().post("/v1/public/things", body).status_code for _ in range(2)] == [201, 429]

    def test_may_be_counted_for_what_the_path_names(self):
        limit = Limit("verify", "10/m", by=lambda kwargs: f"organization:{kwargs['id']}")
        assert limit.bucket("user:x", {"id": 7}).key == "verify:organization:7"


class TestAnAddress:
    @pytest.mark.parametrize(
        ("connection", "forwarded", "proxies", "client"),
        [
            ("10.0.0.1", "", 0, "10.0.0.1"),
            ("10.0.0.1", "6.6.6.6", 0, "10.0.0.1"),
            ("10.0.0.1", "6.6.6.6, 9.9.9.9", 1, "9.9.9.9"),
            ("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2", 2, "9.9.9.9"),
            ("10.0.0.1", "9.9.9.9", 3, "9.9.9.9"),
            ("10.0.0.1", "", 2, "10.0.0.1"),
            ("10.0.0.1", "6.6.6.6, garbage", 1, "10.0.0.1"),
            ("10.0.0.1", "9.9.9.9:443", 1, "9.9.9.9"),
            ("10.0.0.1", "[2001:db8::5]:443", 1, "2001:db8::5"),
            ("::ffff:9.9.9.9", "", 0, "9.9.9.9"),
            ("fe80::1%eth0", "", 0, "fe80::1"),
            ("", "", 0, ""),
        ],
    )
    def test_is_that_of_the_connection_or_of_the_outermost_proxy_of_ours(self, connection, forwarded, proxies, client):
        assert address_behind(connection, forwarded, proxies) == client

    def test_of_ipv6_counts_by_its_network(self):
        assert network_of("2001:db8:1:2:3::9") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
        assert network_of("9.9.9.9") == "9.9.9.9"

    def test_cannot_be_changed_by_a_header(self, world, settings):
        settings.RATE_LIMIT_PUBLIC = Rate.parse("3/m")
        codes = [Api().get("/v1/public/nowhere", x_forwarded_for=f"9.9.9.{n}").status_code for n in range(5)]
        assert codes == [200, 200, 200, 429, 429]


HAMMER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from restartix.kernel.api.throttling import Bucket, SharedCounters
from restartix.variables import Rate

counters, bucket = SharedCounters(sys.argv[1]), Bucket("exact", Rate(500, 60))
with ThreadPoolExecutor(50) as pool:
    print(sum(pool.map(lambda _: counters.judge([bucket])[0], range(400))))
"""


class TestCounters:
    def test_of_200_parallel_clients_in_four_processes_admit_exactly_the_limit(self, test_servers, settings):
        command = [sys.executable, "-c", HAMMER, settings.REDIS_URL]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        assert sum(int(process.communicate(timeout=60)[0]) for process in processes) == 500

    def test_of_one_process_admit_exactly_the_limit_too(self):
        counters, bucket = LocalCounters(), Bucket("x", Rate(100, 60))
        with ThreadPoolExecutor(40) as pool:
            assert sum(pool.map(lambda _: counters.judge([bucket])[0], range(400))) == 100

    def test_go_on_after_the_cache_has_closed_the_connection(self, settings):
        counters, bucket = SharedCounters(settings.REDIS_URL), Bucket("x", Rate(10, 60))
        counters.judge([bucket])
        redis.Redis.from_url(settings.REDIS_URL).client_kill_filter(skipme=True)
        assert counters.judge([bucket])[1] == 2
        assert counters.peek(bucket)[0] == 2

    def test_in_both_places_answer_alike(self, settings):
        buckets = [Bucket("a", Rate(3, 60)), Bucket("b", Rate(5, 60))]
        local, shared = LocalCounters(), SharedCounters(settings.REDIS_URL)
        for _ in range(5):
            ours, theirs = local.judge(buckets), shared.judge(buckets)
            assert ours[0] == theirs[0]
            assert ours[1::2] == theirs[1::2]
        assert local.peek(buckets[0])[0] == shared.peek(buckets[0])[0] == 3


class TestWithoutTheSharedCache:
    @pytest.fixture
    def dead(self, monkeypatch):
        counters = SharedCounters("redis://127.0.0.1:9/0")
        throttling.shared.cache_clear()
        monkeypatch.setattr("restartix.kernel.api.throttling.shared", lambda: counters)
        return counters

    def test_limits_are_counted_by_the_process_and_an_alarm_is_raised(self, settings, world, api, dead, caplog):
        settings.RATE_LIMIT_USER = Rate.parse("2/m")
        assert [api("ion").get("/v1/things").status_code for _ in range(3)] == [200, 200, 429]
        alarms = [record for record in caplog.records if "shared cache is down" in record.message]
        assert [record.levelname for record in alarms] == ["ERROR"]

    def test_nobody_waits_for_it_twice(self, dead):
        bucket = Bucket("x", Rate(1000, 60))
        dead.judge([bucket])
        began = time.monotonic()
        for _ in range(100):
            dead.judge([bucket])
        assert time.monotonic() - began < 0.2
