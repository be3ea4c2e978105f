"""The snippets that integrators copy: they run, take what we sign, and nothing else."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time

import pytest

from restartix.environment import ROOT
from restartix.kernel import signatures

SNIPPETS = ROOT / "static" / "webhooks"
BODY = '{"id":"evt_1","type":"webhook.test","data":{"note":"Țăran"}}'.encode()
SECRET = signatures.new_secret()
OTHER = signatures.new_secret()

#: How each language is started; what follows its snippet: cases from standard input, verdicts to the output.
LANGUAGES = {
    "python": ([sys.executable], "verify.py"),
    "node": (["node"], "verify.mjs"),
    "php": (["php", "-n"], "verify.php"),
}
RUNS = {
    "python": """
import json, sys
cases = json.load(sys.stdin)
print(json.dumps([is_from_restartix(c["secret"], c["headers"], base64.b64decode(c["body"])) for c in cases]))
""",
    "node": """
import { readFileSync } from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((c) => isFromRestartix(c.secret, c.headers, Buffer.from(c.body, "base64")))));
""",
    "php": """
$cases = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(array_map(
    fn ($c) => is_from_restartix($c['secret'], $c['headers'], base64_decode($c['body'])), $cases));
""",
}


def case(*, secrets=(SECRET,), known=SECRET, age=0, body=BODY, sent=BODY, **changes):
    """One delivery as it arrives: signed with `secrets` over `body`, checked with `known` over what was `sent`."""
    stamp = str(int(time.time()) - age)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": stamp,
        "webhook-signature": signatures.sign_with_all(secrets, message_id="evt_1", timestamp=stamp, body=body),
        **changes,
    }
    return {"secret": known, "headers": headers, "body": base64.b64encode(sent).decode()}


def cases():
    good = [case(), case(secrets=(OTHER, SECRET)), case(age=290)]
    bad = [
        case(known=OTHER),
        case(sent=BODY + b" "),
        case(age=400),
        case(age=-400),
        case(**{"webhook-id": "evt_2"}),
        case(**{"webhook-timestamp": "soon"}),
        case(**{"webhook-signature": ""}),
        case(**{"webhook-signature": "v1,short v1a,other"}),
        case(**{"webhook-signature": "v1,ăîț"}),
        {**case(), "headers": {}},
    ]
    return good, bad


#: Python is always here; of the others those that this machine has.
INSTALLED = [language for language, (command, _) in LANGUAGES.items() if shutil.which(command[0])]


@pytest.mark.parametrize("language", INSTALLED)
def test_a_snippet_takes_our_signatures_and_refuses_everything_else(language, tmp_path):
    command, name = LANGUAGES[language]
    snippet = (SNIPPETS / f"verify.{language}.txt").read_text()
    program = tmp_path / name
    program.write_text(snippet + RUNS[language])
    good, bad = cases()

    said = subprocess.run(
        [*command, str(program)], input=json.dumps(good + bad), capture_output=True, text=True, timeout=60, check=False
    )

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == [True] * len(good) + [False] * len(bad)


def test_the_public_library_takes_the_same_deliveries():
    from standardwebhooks import Webhook, WebhookVerificationError

    good, bad = cases()

    def takes(one):
        try:
            Webhook(one["secret"]).verify(base64.b64decode(one["body"]), one["headers"])
        except (WebhookVerificationError, ValueError):
            return False
        return True

    assert [takes(one) for one in good] == [True] * len(good)
    assert not any(takes(one) for one in bad[:6])


def test_the_guide_shows_the_same_snippets():
    guide = (ROOT / "docs" / "api" / "webhooks.md").read_text()

    for language in LANGUAGES:
        assert (SNIPPETS / f"verify.{language}.txt").read_text().strip() in guide
