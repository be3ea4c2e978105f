"""The document: valid, complete, stable in its names, and readable in a browser under our own policy."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from restartix.kernel.api.docs import document
from tests.kernel_api.conftest import Api

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(params=["restartix.urls", "tests.kernel_api.urls"])
def parsed(request, settings):
    settings.ROOT_URLCONF = request.param
    document.cache_clear()
    yield json.loads(document()[0])
    document.cache_clear()


def operations(parsed):
    return [(path, method, operation) for path, item in parsed["paths"].items() for method, operation in item.items()]


class TestTheDocument:
    def test_is_written_without_a_warning(self, settings):
        settings.ROOT_URLCONF = "restartix.urls"
        call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO(), stderr=StringIO())

    def test_is_openapi_3_1(self, parsed):
        assert parsed["openapi"].startswith("3.1")
        OpenAPIV31SpecValidator(parsed).validate()

    def test_names_every_operation_once(self, parsed):
        names = [operation["operationId"] for _, _, operation in operations(parsed)]
        assert len(names) == len(set(names))
        assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) for name in names)

    def test_says_of_every_operation_what_it_is_who_may_and_how_it_fails(self, parsed):
        for path, method, operation in operations(parsed):
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["tags"], where
            assert operation["x-roles"], where
            assert operation["security"] in ([{"session": []}], [{}, {"session": []}]), where
            assert {"400", "401", "403", "406", "422", "429", "500", "503"} <= set(operation["responses"]), where
            written = {parameter.get("$ref", "").rpartition("/")[2] for parameter in operation["parameters"]}
            assert ("IdempotencyKey" in written) == (method != "get"), where

    def test_gives_an_example_of_every_body_and_answer(self, parsed):
        for path, method, operation in operations(parsed):
            where = f"{method} {path}"
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert "example" in content, where
            for status, response in operation["responses"].items():
                assert (status == "204") <= ("content" not in response), where
                if "content" in response and "application/json" in response["content"] and "x-" not in where:
                    schema = response["content"]["application/json"]["schema"]
                    assert "example" in response["content"]["application/json"] or schema["properties"]["data"].get(
                        "additionalProperties"
                    ), where

    def test_gives_examples_that_are_what_they_are_examples_of(self, parsed):
        contents = [
            (f"{method} {path}", content)
            for path, method, operation in operations(parsed)
            for message in (operation.get("requestBody", {}), *operation["responses"].values())
            for content in message.get("content", {}).values()
            if "example" in content and "schema" in content
        ]
        assert contents
        for where, content in contents:
            schema = {**content["schema"], "components": parsed["components"]}
            problems = [error.message for error in OAS31Validator(schema).iter_errors(content["example"])]
            assert not problems, where

    def test_says_which_answers_are_files(self, settings):
        settings.ROOT_URLCONF = "restartix.urls"
        document.cache_clear()
        files = [op for path, _, op in operations(json.loads(document()[0])) if path.endswith(("/ics", ".ics"))]
        document.cache_clear()
        assert len(files) == 3
        assert all(list(each["responses"]["200"]["content"]) == ["text/calendar"] for each in files)

    def test_says_which_codes_each_refusal_has(self, parsed):
        for name, response in parsed["components"]["responses"].items():
            content = response["content"]["application/json"]
            _, narrowed = content["schema"]["allOf"][1]["properties"]["error"]["allOf"]
            codes = narrowed["properties"]["code"]["enum"]
            assert list(content["examples"]) == codes, name
            assert "X-RateLimit-Remaining" in response["headers"]

    def test_refers_to_nothing_that_is_not_there(self, parsed):
        for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(parsed)):
            found = parsed
            for step in reference.split("/"):
                found = found[step]

    def test_never_shows_a_component_by_the_name_of_its_class(self, parsed):
        assert not [
            name
            for name in parsed["components"]["schemas"]
            if name.endswith(("Serializer", "Shape")) or re.search(r"Enum|[0-9]{3}", name)
        ]

    def test_promises_no_null_where_there_is_none_and_hides_none(self, parsed):
        things = parsed["components"]["schemas"].get("PatchedThingBody")
        if things is not None:
            assert things["properties"]["note"]["type"] == ["string", "null"]
            assert things["properties"]["title"]["type"] == "string"
            assert "required" not in things
            assert things["additionalProperties"] is False


class TestOutgoingEvents:
    def test_stand_under_webhooks_with_an_example(self, settings):
        settings.ROOT_URLCONF = "restartix.urls"
        document.cache_clear()
        webhooks = json.loads(document()[0])["webhooks"]
        assert {"appointment.created", "appointment.cancelled"} <= set(webhooks)
        created = webhooks["appointment.created"]["post"]["requestBody"]["content"]["application/json"]
        assert list(created["example"]["data"]) == [
            "appointment_id",
            "appointment_uid",
            "specialist_id",
            "patient_id",
            "status",
            "scheduled_at",
        ]
        assert created["schema"]["properties"]["data"]["properties"]["patient_id"]["type"] == ["integer", "null"]
        assert created["schema"]["properties"]["data"]["properties"]["scheduled_at"]["format"] == "date-time"
        assert [each["post"]["security"] for each in webhooks.values()] == [[]] * len(webhooks)
        document.cache_clear()


class TestOverHttp:
    def test_is_public_cached_and_readable_from_other_origins(self):
        answer = Api().get("/v1/openapi.json")
        assert (answer.status_code, answer["Content-Type"], answer["Access-Control-Allow-Origin"]) == (
            200,
            "application/json",
            "*",
        )
        assert answer["Cache-Control"] == "public, max-age=300"
        again = Api().get("/v1/openapi.json", if_none_match=answer["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert Api().post("/v1/openapi.json", {}).status_code == 405

    def test_has_a_page_without_a_script_or_style_in_it(self):
        answer = Client().get("/v1/docs")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?://", page)
        for source in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
            assert Client().get(source).status_code == 200, source


class TestACrossOriginCaller:
    def test_of_an_allowed_origin_may_read_our_headers(self, settings):
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
        asked = Api().send(
            "OPTIONS",
            "/v1/things",
            origin="https://app.example",
            access_control_request_method="PUT",
            access_control_request_headers="idempotency-key,if-match",
        )
        assert asked["Access-Control-Allow-Origin"] == "https://app.example"
        assert "idempotency-key" in asked["Access-Control-Allow-Headers"]
        given = Api().get("/v1/nothing", origin="https://app.example")
        for header in (
            "ETag",
            "X-Request-ID",
            "X-RateLimit-Remaining",
            "Retry-After",
            "Idempotency-Replayed",
            "Location",
        ):
            assert header in given["Access-Control-Expose-Headers"]

    def test_of_another_origin_may_not(self, settings):
        settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
        assert "Access-Control-Allow-Origin" not in Api().get("/v1/nothing", origin="https://evil.example")
