"""The environment: read once, strictly, with secrets made only where that is harmless."""

import stat

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from restartix.environment import Environment
from restartix.variables import Rate, declared, unknown_names

PRODUCTION = {"SECRET_KEY": "s" * 50, "DATABASE_URL": "postgres://app@db/restartix", "REDIS_URL": "redis://redis"}
KEYS = {"ENCRYPTION_KEYS": "1:" + "A" * 44, "TELEMETRY_HASH_KEY": "1:" + "A" * 44}


@pytest.fixture
def development(tmp_path):
    return {"DEBUG": "on", "DATA_DIR": str(tmp_path)}


class TestValues:
    def test_have_the_defaults_of_the_contract(self, development):
        env = Environment.read(development)
        assert (env.hold_ttl_seconds, env.hold_lease_seconds, env.hold_renew_seconds, env.hold_cap_seconds) == (
            300,
            30,
            10,
            900,
        )
        assert env.rate_limit_user == Rate(1000, 60)
        assert env.rate_limit_public == Rate(100, 60)
        assert env.booking_limits["book"] == Rate(10, 3600)
        assert env.trusted_proxy_count == 0
        assert env.platform_base_domain == "localhost"

    def test_that_are_wrong_are_all_named_at_once_and_no_secret_is_shown(self, development):
        with pytest.raises(ImproperlyConfigured) as refused:
            Environment.read({**development, "HOLD_TTL": "soon", "DEBUG": "maybe", "RATE_LIMIT_USER": "fast"})
        for name in ("HOLD_TTL", "DEBUG", "RATE_LIMIT_USER"):
            assert name in str(refused.value)

    @pytest.mark.parametrize(
        ("name", "value"), [("HOLD_TTL", "0"), ("WEB_THREADS", "0"), ("BOOKING_LIMITS", '{"nothing": "1/m"}')]
    )
    def test_out_of_bounds_are_refused(self, development, name, value):
        with pytest.raises(ImproperlyConfigured, match=name):
            Environment.read({**development, name: value})

    def test_booking_limits_change_only_what_they_name(self, development):
        env = Environment.read({**development, "BOOKING_LIMITS": '{"hold": "1000/m"}'})
        assert env.booking_limits["hold"] == Rate(1000, 60)
        assert env.booking_limits["timeslots"] == Rate(30, 60)

    def test_can_be_given_as_a_file(self, development, tmp_path):
        (tmp_path / "key").write_text("from a file\n")
        assert Environment.read({**development, "SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "from a file"

    def test_a_dollar_sign_is_a_dollar_sign(self, development):
        assert Environment.read({**development, "SECRET_KEY": "$ecret"}).secret_key == "$ecret"

    @pytest.mark.parametrize("text", ["100/m", "10/h", "50/5s", "1/d"])
    def test_a_rate_is_written_as_it_is_read(self, text):
        assert str(Rate.parse(text)) == text

    def test_every_variable_is_declared_once_and_says_what_it_means(self):
        entries = list(declared(Environment))
        assert len({entry.variable.name for entry in entries}) == len(entries)
        assert all(entry.variable.meaning and entry.section for entry in entries)


class TestSecrets:
    def test_are_made_once_in_development_for_this_user_alone(self, development, tmp_path):
        first, second = Environment.read(development), Environment.read(development)
        for name in ("secret_key", "clerk_webhook_secret", "telemetry_service_token", "encryption_keys"):
            assert getattr(first, name)
            assert getattr(first, name) == getattr(second, name)
        for name in ("secrets.json", "development-issuer.pem"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert first.clerk_webhook_secret[0].startswith("whsec_")
        assert len(first.telemetry_service_token[0].split("=", 1)[1]) >= 32
        assert first.development_issuer_key == tmp_path / "development-issuer.pem"

    def test_have_to_be_given_in_production(self):
        with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
            Environment.read({})
        with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS, TELEMETRY_HASH_KEY"):
            Environment.read(PRODUCTION)

    def test_nothing_is_made_up_in_production(self, tmp_path):
        env = Environment.read({**PRODUCTION, **KEYS, "DATA_DIR": str(tmp_path)})
        assert env.clerk_webhook_secret == env.telemetry_service_token == ()
        assert env.development_issuer_key is None
        assert not list(tmp_path.iterdir())

    def test_stand_ins_are_refused_in_production(self):
        with pytest.raises(ImproperlyConfigured, match="WEBHOOK_ALLOW_PRIVATE"):
            Environment.read({**PRODUCTION, **KEYS, "WEBHOOK_ALLOW_PRIVATE": "on"})

    def test_do_not_show_when_the_environment_is_printed(self, development):
        env = Environment.read(development)
        assert env.secret_key not in f"{env!r} {env}"


def test_unknown_names_of_ours_are_found():
    names = {"RESTARTIX_NO_BOOTSTRAP": "1", "RESTARTIX_TYPO": "1", "OTHER": "1"}
    assert unknown_names(Environment, names) == ["RESTARTIX_TYPO"]


def test_the_example_and_the_page_are_current():
    try:
        call_command("environment_docs", check=True)
    except CommandError as stale:
        pytest.fail(str(stale))
