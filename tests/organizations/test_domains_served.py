"""Domains under the real server process: the DNS on the wire, two processes at once, origins of browsers."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from restartix.kernel.tokens import issue_development_token
from restartix.testing.processes import manage
from tests import nameserver


def ask(server, method, path, body=None, *, by=None, **headers):
    """Status, JSON and headers of one request to a real process."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if by is not None:
        sent["Authorization"] = f"Bearer {issue_development_token(by.user.clerk_user_id)}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            content = answer.read()
            return answer.status, json.loads(content) if content else None, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


def domains(organization, rest=""):
    return f"/v1/organizations/{organization.pk}/domains{rest}"


@pytest.fixture
def names():
    with nameserver.running() as server:
        yield server


def test_two_processes_prove_one_domain_for_one_clinic_and_let_its_front_end_in(
    committed_db, cast, names, web_servers, test_servers
):
    first, second = web_servers(2, DNS_NAMESERVERS=names.address)
    claims = {
        clinic: ask(first, "POST", domains(clinic), {"domain": "d.example", "kind": "portal"}, by=admin)[1]["data"]
        for clinic, admin in ((cast.sud, cast.ion), (cast.nord, cast.nora))
    }
    status, missing, _ = ask(first, "POST", domains(cast.sud, f"/{claims[cast.sud]['id']}/verify"), by=cast.ion)
    assert (status, missing["error"]["code"]) == (409, "domain_not_verified")
    assert missing["error"]["details"]["last_error"] == "nxdomain"

    name = claims[cast.sud]["verification"]["record_name"]
    names.records[name] = [each["verification"]["record_value"] for each in claims.values()]
    with ThreadPoolExecutor(2) as pool:
        tries = [
            pool.submit(ask, server, "POST", domains(clinic, f"/{claims[clinic]['id']}/verify"), by=admin)
            for server, clinic, admin in ((first, cast.sud, cast.ion), (second, cast.nord, cast.nora))
        ]
        answers = [each.result() for each in tries]
    assert sorted(answer[0] for answer in answers) == [200, 409]
    assert {answer[1]["error"]["code"] for answer in answers if answer[0] == 409} == {"domain_taken"}
    winner, admin = (cast.sud, cast.ion) if answers[0][0] == 200 else (cast.nord, cast.nora)

    found = ask(second, "GET", "/v1/public/organizations/resolve?domain=D.EXAMPLE.:8443")
    assert (found[0], found[1]["data"]["id"], found[1]["data"]["face"]) == (200, winner.pk, "portal")
    origin = {"Origin": "https://d.example", "Access-Control-Request-Method": "POST"}
    preflight = ask(second, "OPTIONS", "/v1/me", **{key.replace("-", "_"): value for key, value in origin.items()})
    assert preflight[2]["Access-Control-Allow-Origin"] == "https://d.example"

    assert ask(first, "DELETE", domains(winner, f"/{claims[winner]['id']}"), by=admin)[0] == 204
    assert ask(second, "GET", "/v1/public/organizations/resolve?domain=d.example")[0] == 404
    end = time.monotonic() + 8
    while time.monotonic() < end:
        answer = ask(second, "GET", "/v1/me", by=cast.ion, Origin="https://d.example")
        if answer[2]["Access-Control-Allow-Origin"] is None:
            break
        time.sleep(0.5)
    assert answer[2]["Access-Control-Allow-Origin"] is None


def test_the_daily_check_runs_at_once_from_a_terminal(committed_db, cast, names, web_servers, test_servers):
    (server,) = web_servers(1, DNS_NAMESERVERS=names.address)
    made = ask(server, "POST", domains(cast.sud), {"domain": "d.example", "kind": "clinic"}, by=cast.ion)[1]["data"]
    names.publish(made["verification"])
    assert ask(server, "POST", domains(cast.sud, f"/{made['id']}/verify"), by=cast.ion)[0] == 200
    names.records.clear()
    statuses = []

    for _ in range(3):
        done = manage("run_periodic", "recheck_domains", **test_servers.variables, DNS_NAMESERVERS=names.address)
        assert done.returncode == 0, done.stderr
        statuses.append(ask(server, "GET", "/v1/public/organizations/resolve?domain=d.example")[0])

    assert statuses == [200, 200, 404]
