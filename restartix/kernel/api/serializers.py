"""What operations take and give: bodies and queries read strictly, representations written as declared.

A field that a body does not declare is refused, so that a typo never passes in silence.
Source: contract/conventions.md, "Paths, methods, bodies".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from rest_framework import serializers

from restartix.kernel.api import queries
from restartix.kernel.api.fields import MESSAGES, Boolean, Integer, ListOf
from restartix.kernel.api.parsing import readable
from restartix.kernel.errors import Invalid

NON_FIELD = "non_field_errors"
NOT_AN_OBJECT = "an object is expected"


class Body(serializers.Serializer):
    """What an operation takes. Nested bodies are fields; a rule over several fields is `validate`.

    A field called like a Python keyword is declared with a final underscore: `from_`.
    """

    default_error_messages = {**MESSAGES, "invalid": NOT_AN_OBJECT}
    unknown = "unknown field"
    #: Fields that change by themselves a moment later; `If-Match` does not compare them.
    settling: ClassVar[tuple[str, ...]] = ()
    #: What the documentation shows for fields whose usual example would mislead here.
    examples: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *args: Any, sent_only: bool = False, **kwargs: Any) -> None:
        """With `sent_only` no field is required: the body changes what was sent and leaves the rest."""
        self.sent_only = sent_only
        self._sent: Mapping[str, Any] = {}
        super().__init__(*args, **kwargs)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the declared fields under the names that the contract gives them."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    @property
    def _writable_fields(self) -> Iterator[serializers.Field]:  # type: ignore[override]  # a generator in DRF too
        for name, field in self.fields.items():
            if not field.read_only and (name in self._sent or not self.sent_only):
                yield field

    def to_internal_value(self, data: Any) -> Any:
        """Read every declared field; refuse the others."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({NON_FIELD: [NOT_AN_OBJECT]}, code="invalid")
        self._sent = data
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown = {name: self._unknown(name, known) for name in data if name not in known}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **unknown}) from error  # type: ignore[dict-item]
        if unknown:
            raise serializers.ValidationError(unknown)
        return value

    def _unknown(self, name: str, known: list[str]) -> list[str]:
        near = get_close_matches(name, known, n=1, cutoff=0.7)
        return [self.unknown, *(f"did you mean {match}?" for match in near)]


class ExactlyOne:
    """A rule over a body or a query: of the fields `either` exactly one is sent."""

    either: ClassVar[tuple[str, ...]] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Count what was sent."""
        sent = [name for name in self.either if name in attrs]
        if len(sent) != 1:
            message = f"exactly one of {', '.join(self.either)} is expected"
            raise serializers.ValidationError({name: [message] for name in sent or self.either})
        return attrs


class NoBody(Body):
    """Nothing: an absent body or `{}`."""


class Query(Body):
    """What an operation takes from the query string: texts, which are read by the kind of their field."""

    unknown = "unknown parameter"

    def to_internal_value(self, data: Any) -> Any:
        """Turn canonical numbers, `true`, `false` and comma-separated lists into what the fields take.

        What is wrong with one of several values is named by the parameter, as with the filters of lists.
        """
        try:
            return super().to_internal_value({name: _typed(self.fields.get(name), text) for name, text in data.items()})
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                {name: [message for _, message in _flat(problems, "")] for name, problems in error.detail.items()}  # type: ignore[union-attr]
            ) from error


def _typed(field: serializers.Field | None, text: str) -> Any:
    if isinstance(field, Integer):
        number = queries.integer(text)
        return text if number is None else number
    if isinstance(field, Boolean):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(field, ListOf):
        return [_typed(field.child, part) for part in text.split(",")]
    return text


class Representation(serializers.Serializer):
    """What an operation gives: one resource as the caller may see it."""

    #: Fields that appear only when `include=` names them.
    on_request: ClassVar[tuple[str, ...]] = ()
    #: Fields that not every caller receives; the schema does not promise them.
    withheld: ClassVar[tuple[str, ...]] = ()
    #: Fields whose value changes without the resource changing (signed addresses); they do not count for the ETag.
    volatile: ClassVar[tuple[str, ...]] = ()
    #: What the documentation shows for fields whose usual example would mislead here.
    examples: ClassVar[Mapping[str, Any]] = {}

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the declared fields without those that were not asked for."""
        asked = self.context.get("include", ())
        return {
            name.rstrip("_"): field
            for name, field in super().get_fields().items()
            if name not in self.on_request or name in asked
        }


def read(
    body: type[Body], data: Any, *, sent_only: bool = False, context: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the values of `data`; with `sent_only` only of the fields that were sent.

    Raises Invalid (422) naming every problem by its path.
    """
    serializer = body(data=data, sent_only=sent_only, context=dict(context or {}))
    if not serializer.is_valid():
        raise invalid(serializer.errors)
    return dict(serializer.validated_data)


def invalid(errors: Any) -> Invalid:
    """Turn DRF's nested errors into one refusal.

    `{"specialists": [{}, {"priority": ["required"]}]}` becomes `specialists[1].priority: required`.
    """
    fields: dict[str, list[str]] = {}
    for path, message in _flat(errors, ""):
        fields.setdefault(readable(path) or "body", []).append(str(message))
    return Invalid(fields or {"body": ["not acceptable"]})


def _flat(errors: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(errors, Mapping):
        for key, child in errors.items():
            yield from _flat(child, _step(path, key))
    elif isinstance(errors, list):
        for index, child in enumerate(errors):
            yield from _flat(child, f"{path}[{index}]") if isinstance(child, Mapping | list) else [(path, child)]
    else:
        yield path, errors


def _step(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == NON_FIELD:
        return path
    return f"{path}.{key}" if path else str(key)
