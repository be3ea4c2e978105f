"""Answers held against the API's own document."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from restartix.kernel.api.docs import document

FORMATS = Draft202012Validator.FORMAT_CHECKER


@cache
def _document() -> tuple[dict[str, Any], Registry, list[tuple[re.Pattern[str], str]]]:
    parsed = json.loads(document()[0])
    registry: Registry = Registry().with_resource("urn:openapi", Resource(parsed, DRAFT202012))
    paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in sorted(parsed["paths"])]
    return parsed, registry, paths


def operation_at(method: str, path: str) -> dict[str, Any]:
    """Return the operation of the document that answers to `method` on `path`."""
    parsed, _, paths = _document()
    literal = [template for _, template in paths if template == path]
    found = literal or [template for pattern, template in paths if pattern.fullmatch(path)]
    assert found, f"{path} is not in the document"
    return parsed["paths"][found[0]][method.lower()]


def assert_documented(answer: Any, method: str, path: str) -> None:
    """Assert that status, headers and body of an answer are what the document says."""
    parsed, registry, _ = _document()
    responses = operation_at(method, path.partition("?")[0])["responses"]
    assert str(answer.status_code) in responses, f"{method} {path}: {answer.status_code} is not documented"
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = parsed["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for content_type, content in response.get("content", {}).items():
        assert answer["Content-Type"].startswith(content_type)
        schema = _absolute(content["schema"])
        errors = list(
            Draft202012Validator(schema, registry=registry, format_checker=FORMATS).iter_errors(answer.json())
        )
        assert not errors, f"{method} {path}: {errors[0].json_path}: {errors[0].message[:300]}"


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: f"urn:openapi{value}" if key == "$ref" else _absolute(value) for key, value in schema.items()}
    return [_absolute(each) for each in schema] if isinstance(schema, list) else schema
