"""docker-compose.yml, read: what it runs exists, what it names is known, nothing runs as root or as `latest`."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from restartix.environment import ROOT, Environment
from restartix.variables import declared

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("restartix:"))
ONE_SHOT = {"migrate", "keys"}
VARIABLES = {entry.variable.name for entry in declared(Environment)}
# Named in the file for the sake of `docker compose`, read by the images of others.
ROLE_PASSWORDS = {"APP_PASSWORD", "OWNER_PASSWORD", "PLATFORM_PASSWORD", "POSTGRES_PASSWORD"}


def test_it_has_the_production_shape():
    assert set(OURS) == {"web", "worker", "beat", *ONE_SHOT}
    assert set(SERVICES) - set(OURS) == {"postgres", "redis", "storage"}


@pytest.mark.parametrize("name", OURS)
def test_what_our_services_run_runs_by_hand(name):
    program, *arguments = SERVICES[name]["command"]
    by_hand = [sys.executable, *(arguments if program == "python" else ["-m", program, *arguments]), "--help"]
    done = subprocess.run(by_hand, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


@pytest.mark.parametrize("name", SERVICES)
class TestAService:
    def test_has_a_pinned_image(self, name):
        tag = SERVICES[name]["image"].rpartition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag), SERVICES[name]["image"]

    def test_does_not_run_as_root(self, name):
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", SERVICES[name]["user"])

    def test_says_whether_it_is_well_unless_it_ends_by_itself(self, name):
        assert ("healthcheck" in SERVICES[name]) != (name in ONE_SHOT)

    def test_uses_only_volumes_and_files_that_exist(self, name):
        for volume in SERVICES[name].get("volumes", []):
            source = volume.split(":", 1)[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), source

    def test_waits_only_for_services_that_exist(self, name):
        assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


def test_every_variable_of_ours_is_declared():
    for name in OURS:
        given = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}
        assert given <= VARIABLES, given - VARIABLES


def test_every_variable_taken_from_outside_is_declared_or_a_role_password():
    taken = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert taken <= VARIABLES | ROLE_PASSWORDS


def test_the_image_holds_the_locked_versions_and_nothing_else():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert all(re.search(r":\d+\.\d+\.\d+", line) for line in dockerfile.splitlines() if line.startswith("FROM"))
    for source in re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()
    assert pins("requirements.production.lock") <= pins("requirements.lock")


def pins(name):
    return set(re.findall(r"^([a-z0-9_.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_no_lock_records_where_packages_came_from():
    for path in Path(ROOT).glob("requirements*.lock"):
        assert "://" not in path.read_text(), path.name


def test_the_password_script_is_shell():
    subprocess.run(["sh", "-n", str(ROOT / "deploy" / "passwords.sh")], check=True)
    assert shlex.split((ROOT / "deploy" / "passwords.sh").read_text(), comments=True)[:2] == ["set", "-eu"]
