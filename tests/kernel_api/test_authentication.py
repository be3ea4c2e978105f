"""Tokens: RS256 by a trusted issuer and nothing else; every refusal is the same."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from restartix.kernel import tokens
from restartix.kernel.jwks import FixedKey, KeysUnavailable, PublishedKeys
from restartix.kernel.tokens import BadToken, Issuer, Verifier
from tests.kernel_api.conftest import Api, error_of

ISSUER = "https://clerk.example"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key):
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


KEY, OTHER_KEY = new_key(), new_key()


def token(key=KEY, algorithm="RS256", headers=None, drop=(), **claims):
    now = int(time.time())
    payload = {"iss": ISSUER, "sub": "user_ion", "iat": now, "nbf": now, "exp": now + 60, **claims}
    return jwt.encode(
        {k: v for k, v in payload.items() if k not in drop},
        key,
        algorithm=algorithm,
        headers={"kid": "k1", **(headers or {})},
    )


def unsigned(header, payload, signature=b""):
    def part(value):
        return (
            base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode())
            .rstrip(b"=")
            .decode()
        )

    return f"{part(header)}.{part(payload)}.{part(signature)}"


def claims(**more):
    now = int(time.time())
    return {"iss": ISSUER, "sub": "user_ion", "iat": now, "exp": now + 60, **more}


def hmac_confusion():
    import hashlib
    import hmac

    signed = unsigned({"alg": "HS256", "typ": "JWT", "kid": "k1"}, claims()).rpartition(".")[0]
    digest = hmac.digest(public_pem(KEY).encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered():
    header, _payload, signature = token().split(".")
    return ".".join(
        [
            header,
            base64.urlsafe_b64encode(json.dumps(claims(sub="user_root")).encode()).rstrip(b"=").decode(),
            signature,
        ]
    )


EC_KEY = ec.generate_private_key(ec.SECP256R1())
EMBEDDED = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
BAD = {
    "expired": lambda: token(exp=int(time.time()) - 61),
    "not yet valid": lambda: token(nbf=int(time.time()) + 62),
    "without expiry": lambda: token(drop=("exp",)),
    "expiry as text": lambda: unsigned_like(exp="9999999999"),
    "expiry infinite": lambda: unsigned_like(exp=float("inf")),
    "expiry as boolean": lambda: unsigned_like(exp=True),
    "expiry as list": lambda: unsigned_like(exp=[1]),
    "without subject": lambda: token(drop=("sub",)),
    "empty subject": lambda: token(sub=""),
    "subject too long": lambda: token(sub="x" * 300),
    "subject with control characters": lambda: token(sub="user\x00ion"),
    "subject as number": lambda: unsigned_like(sub=5),
    "another key": lambda: token(OTHER_KEY),
    "another issuer": lambda: token(iss="https://evil.example"),
    "issuer as list": lambda: unsigned_like(iss=[ISSUER]),
    "without issuer": lambda: token(drop=("iss",)),
    "another party": lambda: token(azp="https://evil.example"),
    "party as list": lambda: unsigned_like(azp=["https://app.example"]),
    "tampered": tampered,
    "alg none": lambda: unsigned({"alg": "none", "typ": "JWT"}, claims()),
    "alg None": lambda: unsigned({"alg": "None"}, claims()),
    "HS256 with the public key": hmac_confusion,
    "HS256": lambda: token("a" * 32, algorithm="HS256"),
    "RS512": lambda: token(algorithm="RS512"),
    "PS256": lambda: token(algorithm="PS256"),
    "ES256": lambda: token(EC_KEY, algorithm="ES256"),
    "typ of another kind": lambda: token(headers={"typ": "at+jwt"}),
    "critical header": lambda: token(headers={"crit": ["x"]}),
    "key in the header": lambda: token(OTHER_KEY, headers={"jwk": EMBEDDED}),
    "key set in the header": lambda: token(OTHER_KEY, headers={"jku": "http://127.0.0.1:9/keys"}),
    "certificate in the header": lambda: token(OTHER_KEY, headers={"x5u": "http://127.0.0.1:9/cert"}),
    "kid as path": lambda: token(OTHER_KEY, headers={"kid": "../../dev/null"}),
    "payload deep": lambda: unsigned({"alg": "RS256", "kid": "k1"}, b"[" * 2000 + b"]" * 2000),
    "payload no object": lambda: unsigned({"alg": "RS256", "kid": "k1"}, b"5"),
    "header no object": lambda: unsigned(b"[]", claims()),
    "not base64": lambda: "a.b.c",
    "two parts": lambda: "a.b",
    "one word": lambda: "x",
    "too long": lambda: token(filler="x" * 9000),
    "not ASCII": lambda: "é.é.é",
}  # fmt: skip


def unsigned_like(**odd):
    """A token whose odd claims are signed all the same (PyJWT refuses to write some of them)."""
    payload = json.dumps(claims(**odd)).encode()
    return jwt.api_jws.PyJWS().encode(payload, KEY, algorithm="RS256", headers={"kid": "k1"})


def verifier(keys=None, **more):
    return Verifier(
        [Issuer(ISSUER, keys or FixedKey(public_pem(KEY)), authorized_parties=("https://app.example",), **more)]
    )


class TestAVerifier:
    @pytest.mark.parametrize("name", BAD)
    def test_refuses_a_bad_token(self, name):
        with pytest.raises(BadToken):
            verifier().verify(BAD[name]())

    @pytest.mark.parametrize(
        "good",
        [
            {},
            {"azp": "https://app.example"},
            {"exp": -50},
            {"nbf": 50},
            {"act": {"sub": "user_root"}},
            {"aud": "anything"},
        ],
    )
    def test_believes_a_good_one(self, good):
        now = int(time.time())
        proven = verifier().verify(
            token(**{name: now + value if isinstance(value, int) else value for name, value in good.items()})
        )
        assert (proven.subject, proven.kind) == ("user_ion", "session")

    def test_believes_a_token_that_was_good_before_until_it_expires(self, monkeypatch):
        known, good = verifier(), token()
        known.verify(good)
        assert known.verify(good).subject == "user_ion"
        later = time.time() + 121
        monkeypatch.setattr(tokens.time, "time", lambda: later)
        with pytest.raises(BadToken):
            known.verify(good)

    def test_never_remembers_what_it_refused(self):
        known = verifier()
        for _ in range(2):
            with pytest.raises(BadToken):
                known.verify(tampered())


class KeyServer:
    """A key set at an address, which counts how often it is fetched."""

    def __init__(self):
        self.document, self.status, self.fetched = b"{}", 200, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.fetched += 1
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.document)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def publish(self, **keys):
        entries = [
            {
                **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
                "kid": kid,
                "use": "sig",
                "alg": "RS256",
            }
            for kid, key in keys.items()
        ]
        odd = [
            {"kty": "EC"},
            {"kid": "weak", "kty": "RSA", "n": "AQAB", "e": "AQAB"},
            5,
            {"kty": "oct", "k": "AAAA", "kid": "k1"},
        ]
        self.document = json.dumps({"keys": [*odd, *entries]}).encode()


@pytest.fixture
def published():
    server = KeyServer()
    server.publish(k1=KEY)
    yield server
    server.server.shutdown()


class TestPublishedKeys:
    def test_are_fetched_once(self, published):
        keys = verifier(PublishedKeys(published.url))
        for _ in range(5):
            keys.verify(token(jti=str(time.time())))
        assert published.fetched == 1

    def test_are_fetched_again_for_an_unknown_key_but_at_most_once_a_minute(self, published):
        keys = PublishedKeys(published.url)
        keys.find("k1")
        published.publish(k1=KEY, k2=OTHER_KEY)
        assert keys.find("k2") is not None
        assert published.fetched == 2
        for number in range(100):
            assert keys.find(f"random-{number}") is None
        assert published.fetched == 2
        keys._turn_at -= 61  # a minute later
        assert keys.find("random") is None
        assert published.fetched == 3

    def test_are_refreshed_in_the_background(self, published):
        keys = PublishedKeys(published.url)
        keys.find("k1")
        published.publish(k2=OTHER_KEY)
        keys._fetched_at -= 301
        keys._tried_at -= 301
        assert keys.find("k1") is not None
        for _ in range(100):
            if keys._named("k2"):
                break
            time.sleep(0.02)
        assert keys.find("k1") is None

    def test_are_kept_while_fetching_fails(self, published):
        keys = PublishedKeys(published.url)
        keys.find("k1")
        published.status, published.document = 500, b"down"
        keys._fetched_at -= 10_000
        keys._tried_at -= 10_000
        assert keys.find("unknown") is None
        assert keys.find("k1") is not None

    @pytest.mark.parametrize("document", [b"", b"[]", b'{"keys": 5}', b'{"keys": []}', b"\xff", b"x" * 300_000])
    def test_that_are_none_leave_the_server_unable_to_judge(self, published, document):
        published.document = document
        with pytest.raises(KeysUnavailable):
            PublishedKeys(published.url).find("k1")


@pytest.fixture
def clerk(settings):
    settings.CLERK_JWT_KEY = public_pem(KEY).replace("\n", "\\n")
    settings.CLERK_ISSUER = ISSUER
    settings.CLERK_AUTHORIZED_PARTIES = ["https://app.example"]
    tokens.verifier.cache_clear()
    yield
    tokens.verifier.cache_clear()


class TestARequest:
    def test_with_any_bad_token_gets_one_and_the_same_refusal(self, world, clerk):
        refusals = set()
        for name, make in BAD.items():
            answer = Api(make().encode().decode("latin-1")).get("/v1/things")
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), name
            refusals.add(json.dumps({**error_of(answer), "request_id": ""}))
        refusals.add(json.dumps({**error_of(Api().get("/v1/things")), "request_id": ""}))
        assert len(refusals) == 1

    def test_with_a_good_token_is_answered(self, world, clerk):
        assert Api(token()).get("/v1/things").status_code == 200

    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer ", "Basic abc", "Token {}", "{}", "Bearer {} x", "Bearer {},Bearer {}", "Bearer\x00{}"],
    )
    def test_with_another_header_is_refused(self, world, clerk, header):
        assert Api().get("/v1/things", authorization=header.format(token(), token())).status_code == 401

    @pytest.mark.parametrize("header", ["bearer {}", "BEARER  {} "])
    def test_may_write_the_scheme_in_any_case(self, world, clerk, header):
        assert Api().get("/v1/things", authorization=header.format(token())).status_code == 200

    def test_of_an_unknown_user_is_told_so(self, world, clerk):
        answer = Api(token(sub="user_nobody")).get("/v1/things")
        assert (answer.status_code, error_of(answer)["details"]) == (401, {"reason": "user_not_provisioned"})

    def test_on_a_public_operation_needs_no_token_but_a_good_one_if_any(self, world, clerk):
        thing = world.thing()
        assert Api().get(f"/v1/public/things/{thing.pk}").json()["data"]["caller"] == "anonymous"
        assert Api(token()).get(f"/v1/public/things/{thing.pk}").json()["data"] == {
            "title": "Knee",
            "caller": "user",
            "role": "admin",
        }
        assert Api("x.y.z").get(f"/v1/public/things/{thing.pk}").status_code == 401

    def test_never_takes_a_cookie_for_a_token(self, world, clerk):
        api = Api()
        api.client.cookies["__session"] = token()
        assert api.get("/v1/things").status_code == 401

    def test_is_unavailable_while_no_keys_can_be_had(self, world, settings):
        settings.CLERK_JWKS_URL = "http://127.0.0.1:9/keys"
        settings.CLERK_ISSUER = ISSUER
        tokens.verifier.cache_clear()
        answer = Api(token()).get("/v1/things")
        tokens.verifier.cache_clear()
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")


class TestTheDevelopmentIssuer:
    def test_signs_tokens_that_are_believed(self, ion):
        assert ion.get("/v1/things").status_code == 200

    def test_keeps_its_key_to_itself(self, settings):
        tokens.development_key()
        assert (settings.DATA_DIR / tokens.DEVELOPMENT_KEY_FILE).stat().st_mode & 0o777 == 0o600

    def test_is_one_for_processes_that_start_together(self, settings, tmp_path):
        settings.DATA_DIR = tmp_path
        made = []
        threads = [threading.Thread(target=lambda: made.append(public_pem(tokens.development_key()))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(made)) == 1
        assert [file.name for file in tmp_path.iterdir()] == [tokens.DEVELOPMENT_KEY_FILE]

    def test_is_refused_when_debug_is_off_or_clerk_is_configured(self, settings):
        settings.DEVELOPMENT_ISSUER = False
        for refused in (lambda: tokens.issue_development_token("user_ion"), tokens.session_issuer):
            with pytest.raises(Exception, match=r"CLERK|DEBUG"):
                refused()
