"""One operation of the document, from the operation's declaration and its resource."""
# mypy: disallow-untyped-calls=False

from __future__ import annotations

import re
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin, get_type_hints

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

import restartix.kernel.api.schema.fields  # noqa: F401 (registers how strict fields are written)
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.operations import Operation
from restartix.kernel.api.schema import naming, shared
from restartix.kernel.api.schema.examples import example_of
from restartix.kernel.api.schema.parameters import query_parameters
from restartix.kernel.api.schema.refusals import refusals_of
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.roles import Access

if TYPE_CHECKING:
    from restartix.kernel.api.resources import Resource

Schema = dict[str, Any]
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PATH_PARAMETER = re.compile(r"<(?:(?P<converter>[a-z_]+):)?(?P<name>[A-Za-z_]+)>")
_CONVERTERS: dict[str, Schema] = {
    "id": {"type": "integer", "format": "int64", "minimum": 1},
    "uid": {"type": "string", "format": "uuid"},
    "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}


class OperationSchema(AutoSchema):
    """One operation of the document."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Schema | None:
        """Return the operation object of one method of one path."""
        self.registry, self.method = registry, method.upper()
        self.path, self.path_regex, self.path_prefix = path, path_regex, path_prefix
        if not hasattr(self.view, "operation_for"):
            warn(f"{type(self.view).__name__} is not a Resource and stays out of the document")
            return None
        view = self.resource
        operation: Operation = view.operation_for(view.action)
        view.kwargs = dict.fromkeys(match["name"] for match in _PATH_PARAMETER.finditer(path_regex))
        summary, description = naming.texts_of(view, operation.summary)
        body = self._body(operation)
        return {
            "operationId": naming.operation_id(view, self.method),
            "tags": [naming.tag_of(type(view))],
            "summary": summary,
            **({"description": description} if description else {}),
            "parameters": self._parameters(operation),
            **({"requestBody": body} if body else {}),
            "responses": self._responses(operation),
            "security": [{}, {"session": []}] if self._is_public else [{"session": []}],
            **({"deprecated": True} if operation.deprecated else {}),
            **({"x-extension": True} if operation.is_extension else {}),
            "x-roles": self._roles(),
            **self._limits(operation),
        }

    @property
    def resource(self) -> Resource:
        """The resource that the operation belongs to."""
        return cast("Resource", self.view)

    @property
    def _is_public(self) -> bool:
        return bool(self.resource.may[self.resource.action] is Access.PUBLIC)

    @property
    def _writes(self) -> bool:
        return self.method in _WRITES

    def _roles(self) -> list[str]:
        allowed = self.resource.may[self.resource.action]
        return [str(allowed)] if isinstance(allowed, Access) else sorted(allowed)

    def _limits(self, operation: Operation) -> Schema:
        return {"x-limits": {limit.name: limit.rate for limit in operation.limits}} if operation.limits else {}

    # parameters

    def _parameters(self, operation: Operation) -> list[Schema]:
        query = query_parameters(self.resource, operation, lambda field: self._map_serializer_field(field, "request"))
        return [*self._path_parameters(), *query, *self._header_parameters(operation)]

    def _path_parameters(self) -> list[Schema]:
        return [
            {
                "name": match["name"],
                "in": "path",
                "required": True,
                "schema": _CONVERTERS.get(match["converter"] or "", {"type": "string"}),
            }
            for match in _PATH_PARAMETER.finditer(self.path_regex)
        ]

    def _header_parameters(self, operation: Operation) -> list[Schema]:
        names = [] if self.resource.context_for(self.resource.action) is Context.IGNORED else ["Organization"]
        if self._writes:
            names.append("IdempotencyKey")
        if self._writes and self.resource.has_row(operation) and self.resource.serializer_class is not None:
            names.append("IfMatch")
        if self._has_etag(operation):
            names.append("IfNoneMatch")
        return [shared.ref("parameters", name) for name in names]

    def _has_etag(self, operation: Operation) -> bool:
        return (
            self.method == "GET"
            and not self._is_list(operation)
            and operation.etag is not False
            and JSON in operation.produces
        )

    def _is_list(self, operation: Operation) -> bool:
        return self.resource.action == "list" or operation.many

    # bodies

    def _body(self, operation: Operation) -> Schema | None:
        if not self._writes or operation.body is None:
            return None
        sent_only = self.resource.action == "update" if operation.sent_only is None else operation.sent_only
        serializer = operation.body(partial=sent_only, sent_only=sent_only)
        if not serializer.fields:
            return None
        required = not sent_only and any(field.required for field in serializer.fields.values())
        example = operation.request_example or example_of(serializer)
        content = {"schema": self._component(serializer, "request"), "example": example}
        return {"required": required, "content": {kind: dict(content) for kind in operation.consumes}}

    def _component(self, serializer: Any, direction: Literal["request", "response"]) -> Schema:
        component = self.resolve_serializer(serializer, direction)
        return dict(component.ref) if component.schema else {"type": "object", "additionalProperties": False}

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """Name a component without the suffix that the code gives its class."""
        return naming.component_name(type(serializer))

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:
        """Write a body without room for unknown fields, and a representation without promises of included ones."""
        schema: Schema = super()._map_basic_serializer(serializer, direction)
        if not vars(type(serializer)).get("__doc__"):
            schema.pop("description", None)  # it would be the base class's
        if isinstance(serializer, Body):
            schema["additionalProperties"] = False
        if isinstance(serializer, Representation) and "required" in schema:
            optional = {*serializer.on_request, *serializer.withheld}
            schema["required"] = [name for name in schema["required"] if name not in optional]
        return schema

    def _map_response_type_hint(self, method: Any) -> Schema:
        """Write a method field by its annotation, which may name representations: `list[Offer]`, `Contact | None`."""
        hint = get_type_hints(method).get("return")
        wanted = (
            [each for each in get_args(hint) if each is not type(None)] if get_origin(hint) is UnionType else [hint]
        )
        if len(wanted) == 1 and (schema := self._of_representation(wanted[0])):
            return {**schema, "nullable": True} if wanted[0] is not hint else schema
        return dict(super()._map_response_type_hint(method))

    def _of_representation(self, hint: Any) -> Schema | None:
        if get_origin(hint) is list:
            items = self._of_representation(get_args(hint)[0])
            return {"type": "array", "items": items} if items else None
        if isinstance(hint, type) and issubclass(hint, Representation):
            return self._component(hint(context={"include": hint.on_request}), "response")
        return None

    # responses

    def _responses(self, operation: Operation) -> Schema:
        responses = {str(status): self._success(status, operation) for status in self._statuses(operation)}
        if self._has_etag(operation):
            responses["304"] = {"description": "Nothing has changed.", "headers": shared.headers("ETag")}
        has_row = self.resource.has_row(operation)
        for status, kinds in refusals_of(self.resource, operation, writes=self._writes, has_row=has_row).items():
            responses[str(status)] = shared.error_response(status, kinds)
        return dict(sorted(responses.items()))

    def _statuses(self, operation: Operation) -> list[int]:
        nothing = self._returned(operation) is None and not _files(operation)
        first = 204 if nothing and operation.status == 200 else operation.status
        return [first, *operation.also]

    def _returned(self, operation: Operation) -> serializers.BaseSerializer | None:
        kind = operation.returns or (None if self.resource.action == "destroy" else self.resource.serializer_class)
        if kind is None:
            return None
        return kind(context={"view": self.resource, "include": getattr(kind, "on_request", ())})

    def _success(self, status: int, operation: Operation) -> Schema:
        names = (
            *(["ETag"] if self._has_etag(operation) else []),
            *(["Location"] if status == 201 and self.resource.location else []),
            *(["Idempotency-Replayed"] if self._writes else []),
        )
        response: Schema = {"description": _STATUS_TEXTS.get(status, "Done."), "headers": shared.headers(*names)}
        if status == 204:
            return response
        if files := _files(operation):
            return {**response, "content": {kind: {"schema": {"type": "string"}} for kind in files}}
        return {**response, "content": {JSON: self._payload(operation)}}

    def _payload(self, operation: Operation) -> Schema:
        serializer = self._returned(operation)
        if serializer is None:
            return {"schema": _object(data={"type": "object", "additionalProperties": True})}
        component = self._component(serializer, "response")
        if operation.returns is None and self.resource.shapes:
            others = (shape(context={"view": self.resource}) for shape in self.resource.shapes.values())
            component = {"anyOf": [component, *(self._component(other, "response") for other in others)]}
        example = operation.response_example or example_of(serializer)
        if operation.is_bare:
            return {"schema": component, "example": example}
        if not self._is_list(operation):
            return {"schema": _object(data=component), "example": {"data": example}}
        listed = {"type": "array", "items": component}
        if self.resource.action != "list":
            return {"schema": _object(data=listed), "example": {"data": [example]}}
        pagination = {"page": 1, "limit": 25, "total": 1, "total_pages": 1}
        schema = _object(data=listed, pagination=shared.ref("schemas", "Pagination"))
        return {"schema": schema, "example": {"data": [example], "pagination": pagination}}


_STATUS_TEXTS = {200: "Done.", 201: "Created.", 202: "Accepted: it is done in the background.", 204: "Done; no body."}


def _files(operation: Operation) -> list[str]:
    """Return the kinds of file that it gives; JSON beside them is what its refusals are written in."""
    return [kind for kind in operation.produces if kind != JSON]


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}
