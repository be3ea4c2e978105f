"""The examples of the document: each is what its schema describes, and each body is one that the operation takes."""

import json

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from restartix.kernel.api.docs import document
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.operations import Operation
from restartix.kernel.api.schema.examples import example_of
from restartix.kernel.api.serializers import read
from restartix.kernel.errors import Invalid


@pytest.fixture(params=["restartix.urls", "tests.kernel_api.urls"])
def parsed(request, settings):
    settings.ROOT_URLCONF = request.param
    document.cache_clear()
    yield json.loads(document()[0])
    document.cache_clear()


def closed(schema, *, part=False):
    """Return a schema that takes no property it does not name, the parts of `allOf` excepted: a wrong name shows."""
    if isinstance(schema, list):
        return [closed(each, part=part) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value, part=key == "allOf") for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema
    return {**inner, "unevaluatedProperties": False} if named and not part else inner


def examples(node, path=""):
    """Yield path, schema and value of every example: those of media types, and those inside schemas."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from examples(each, f"{path}/{index}")
    if not isinstance(node, dict):
        return
    if "schema" in node and "example" in node:
        yield path, node["schema"], node["example"]
    if "schema" in node and isinstance(node.get("examples"), dict):
        yield from ((f"{path}/{name}", node["schema"], each["value"]) for name, each in node["examples"].items())
    if "type" in node and isinstance(node.get("examples"), list):
        yield from ((path, node, value) for value in node["examples"])
    for key, each in node.items():
        if key not in {"example", "examples"} or "type" not in node:
            yield from examples(each, f"{path}/{key}")


def bodies():
    """Return every operation that takes a JSON body, by its name."""
    generator = SchemaGenerator()
    generator.get_schema(request=None, public=True)
    found = {}
    for path, _, method, callback in generator.endpoints:
        view = generator.create_view(callback, method)
        operation: Operation = view.operation_for(view.action)
        if operation.body is not None and method != "GET" and JSON in operation.consumes:
            found[f"{method} {path}"] = operation
    return found


class TestEveryExample:
    def test_is_what_its_schema_describes(self, parsed):
        components = closed(parsed["components"])
        checker = Draft202012Validator.FORMAT_CHECKER
        wrong, seen = [], 0
        for path, schema, value in examples(parsed):
            validator = Draft202012Validator({**closed(schema), "components": components}, format_checker=checker)
            wrong += [f"{path}{error.json_path[1:]}: {error.message[:200]}" for error in validator.iter_errors(value)]
            seen += 1
        assert not wrong, "\n".join(wrong)
        assert seen > 40

    def test_of_a_body_is_one_that_the_operation_takes(self, settings):
        settings.ROOT_URLCONF = "restartix.urls"
        operations = bodies()
        assert len(operations) > 10
        wrong = {}
        for name, operation in operations.items():
            try:
                read(operation.body, operation.request_example or example_of(operation.body))
            except Invalid as refused:
                wrong[name] = refused.details["fields"]
        assert not wrong


class TestTheChecker:
    """It would see what is wrong."""

    @pytest.mark.parametrize("value", [{"at": "today"}, {"at": "2026-12-01T10:00:00Z", "other": 1}, {}])
    def test_refuses(self, value):
        schema = {
            "type": "object",
            "required": ["at"],
            "properties": {"at": {"type": "string", "format": "date-time"}},
        }
        validator = Draft202012Validator(closed(schema), format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert not validator.is_valid(value)
