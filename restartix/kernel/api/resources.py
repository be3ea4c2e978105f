"""A resource of the API: one class, its operations as methods, who may call each of them beside them.

    class AppointmentTemplates(Resource):
        \"\"\"Appointment templates: what a clinic offers to be booked.\"\"\"

        serializer_class = AppointmentTemplateSerializer
        filterset_class = AppointmentTemplateFilters
        sortable = ("name", "created_at")
        default_sort = "name"
        location = "/v1/appointment-templates/{id}"
        may = {"list": MEMBERS, "create": ADMINS, "retrieve": MEMBERS, "update": ADMINS, "destroy": ADMINS}

        def rows(self):
            return AppointmentTemplate.objects.visible_to(self.actor)

        @operation(body=TemplateBody, status=201, errors=(AlreadyTaken,))
        def create(self, body):
            return templates.create(by=self.actor, **body)

        @operation(body=TemplateBody, errors=(AlreadyTaken,))
        def update(self, row, body):                        # PUT and PATCH: only the fields that were sent
            return templates.update(row, by=self.actor, **body)

        def destroy(self, row):                             # None: 204
            templates.delete(row, by=self.actor)

Routed by hand, verbs in sight:

    path("appointment-templates", AppointmentTemplates.as_view({"get": "list", "post": "create"})),
    path(
        "appointment-templates/<id:id>",
        AppointmentTemplates.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"}),
    ),

A routed operation without a line in `may` fails at import. `list` and `retrieve` are here already.
A public operation has `PUBLIC` in `may`; its resource says by `organization_of` which organization it is about.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from restartix.kernel.api import etags, includes, lists, queries, serializers
from restartix.kernel.api.bodies import SentBody
from restartix.kernel.api.calls import Call
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.filters import ApiFilterSet
from restartix.kernel.api.identity import Entered, FoundOrganization, Person
from restartix.kernel.api.lists import Listing
from restartix.kernel.api.operations import Operation, operation_of
from restartix.kernel.api.queries import Problems
from restartix.kernel.api.sorting import Sortable, columns_of
from restartix.kernel.errors import NotFound
from restartix.kernel.roles import Access, Role, Roles
from restartix.kernel.tenancy import Actor

_INJECTED = frozenset({"request", "row", "body", "query"})


def writes(action: str) -> dict[str, str]:
    """Route PUT and PATCH to one action: both change the fields that were sent."""
    return {"put": action, "patch": action}


class Resource(ViewSetMixin, APIView):
    """One resource: its rows, its shapes, its operations and who may call them."""

    serializer_class: ClassVar[type[BaseSerializer] | None] = None
    #: Roles that see another representation than that of `serializer_class`.
    shapes: ClassVar[Mapping[Role, type[BaseSerializer]]] = {}
    filterset_class: ClassVar[type[ApiFilterSet]] = ApiFilterSet
    sortable: ClassVar[Sortable] = ("id",)
    default_sort: ClassVar[str] = "id"
    includes: ClassVar[Mapping[str, includes.Prepare]] = {}
    may: ClassVar[Mapping[str, Roles | Access]] = {}
    #: Where operations take their organization from; public ones take it from `organization_of`.
    context: ClassVar[Context] = Context.REQUIRED
    contexts: ClassVar[Mapping[str, Context]] = {}
    organization_kwarg: ClassVar[str] = "id"
    #: The path's value that names the row, and the column it is looked up in.
    lookup: ClassVar[str] = "id"
    lookup_column: ClassVar[str] = ""
    #: The address of one resource, for `Location`: "/v1/patients/{id}".
    location: ClassVar[str | None] = None
    #: What the documentation files the operations under; default: the first line of the docstring up to the colon.
    tag: ClassVar[str] = ""

    request: HttpRequest  # type: ignore[assignment]
    action: str = ""
    action_map: dict[str, str]
    sent: SentBody
    actor: Actor = Actor.anonymous()
    person: Person | None = None
    organization: FoundOrganization | None = None
    row: Any = None
    included: tuple[str, ...] = ()

    # what subclasses say

    def rows(self) -> QuerySet[Any]:
        """Return the rows that the caller may see; all others are not found."""
        raise NotImplementedError

    def organization_of(self) -> int | None:
        """Return the organization of the resource that a public operation names; None goes on without one.

        Reads `self.kwargs`, `self.request` and `self.sent.peek()`. Raises NotFound (404) if there is no such resource.
        """
        return None

    def permit(self) -> None:
        """Refuse what the role table cannot tell, such as somebody else's row: raises Forbidden (403).

        A public operation that opens a row by a token finds it here and sets `self.row`, so that `If-Match` counts.
        """

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Join and prefetch what every representation needs."""
        return queryset

    # ready-made operations

    def list(self) -> Listing:
        """Return one page of the rows."""
        return lists.page_of(self)

    def retrieve(self, row: Any) -> Any:
        """Return one row."""
        return row

    # what an operation works with

    def enter(self, entered: Entered) -> None:
        """Take who acts and where."""
        self.actor, self.person, self.organization = entered.actor, entered.person, entered.organization

    def find_row(self, *, locked: bool = False) -> None:
        """Fetch the row of the path, holding it until the end of the transaction if `locked`.

        Raises NotFound (404) if it does not exist, is another organization's, or is not visible to the caller.
        """
        self._fetch_row()
        if locked:
            row_locked = type(self.row)._base_manager.filter(pk=self.row.pk).order_by()
            row_locked.select_for_update(no_key=True).values_list("pk").first()
            self._fetch_row()

    def _fetch_row(self) -> None:
        queryset = self.prepare(self.rows()).filter(**{self.lookup_column or self.lookup: self.kwargs[self.lookup]})
        for name in self.included:
            queryset = self.includes[name](queryset)
        self.row = next(iter(queryset.order_by()[:1]), None)
        if self.row is None:
            raise NotFound

    def read_row_query(self) -> None:
        """Read `include=` of a single row and embed what it names. Raises Invalid (422) for anything else."""
        problems, parameters = Problems(), queries.parse_query(self.request)
        queries.refuse_unknown(parameters, ["include"] if self.includes else [], problems)
        self.included = includes.read_includes(parameters.get("include"), self.includes, problems)
        problems.check()
        if self.included:
            self._fetch_row()

    def check_precondition(self) -> None:
        """Raise PreconditionFailed (412) if `If-Match` names another state than the row's present one."""
        header, shape = self.request.META.get("HTTP_IF_MATCH"), self.shape
        if header is None or self.request.method in {"GET", "HEAD"} or shape is None:
            return
        data = shape(self.row, context=self.serializer_context()).data
        present = etags.etag_of(data, volatile=self._volatile_of(shape), included=self._settling_of(shape))
        etags.check_unchanged(header, present)

    @property
    def shape(self) -> type[BaseSerializer] | None:
        """The representation that the caller's role sees."""
        role = self.actor.effective_role
        return self.shapes.get(role, self.serializer_class) if role else self.serializer_class

    def serializer_context(self) -> dict[str, Any]:
        """Return what serializers may ask for."""
        return {"view": self, "request": self.request, "actor": self.actor, "include": self.included}

    def read_body(self, value: Any, operation: Operation) -> dict[str, Any]:
        """Return the validated body; raises Invalid (422)."""
        sent_only = self.action == "update" if operation.sent_only is None else operation.sent_only
        body = operation.body or serializers.NoBody
        return serializers.read(body, value, sent_only=sent_only, context=self.serializer_context())

    def represent(self, value: Any, operation: Operation) -> Any:
        """Return what the answer's `data` holds for `value`."""
        serializer = operation.returns or self.shape
        if serializer is None or (operation.returns is None and isinstance(value, Mapping)):
            return value
        return serializer(value, many=operation.many, context=self.serializer_context()).data

    def represent_all(self, rows: Any) -> Sequence[Any]:
        """Return the representations of a page's rows."""
        assert self.shape is not None
        return tuple(self.shape(rows, many=True, context=self.serializer_context()).data)

    def volatile(self, operation: Operation) -> tuple[str, ...]:
        """Return the fields that do not count for the ETag of an answer."""
        return self._volatile_of(operation.returns or self.shape)

    def settling(self, operation: Operation) -> tuple[str, ...]:
        """Return the fields that change by themselves, and so do not stand in the way of a caller's own change."""
        return self._settling_of(operation.returns or self.shape)

    @staticmethod
    def _volatile_of(serializer: Any) -> tuple[str, ...]:
        return tuple(getattr(serializer, "volatile", ()))

    @staticmethod
    def _settling_of(serializer: Any) -> tuple[str, ...]:
        return tuple(getattr(serializer, "settling", ()))

    # how a request is dispatched

    @classmethod
    def as_view(cls, actions: Mapping[str, str] | None = None, **initkwargs: Any) -> Callable[..., HttpResponseBase]:  # type: ignore[override]
        """Route methods to operations.

        Raises TypeError at import for an operation that does not exist, has no line in `may`, or asks for something
        that nobody can give it.
        """
        for action in (actions or {}).values():
            cls._check_declared(action)
        return super().as_view(dict(actions or {}), **initkwargs)

    @classmethod
    def _check_declared(cls, action: str) -> None:
        method = getattr(cls, action, None)
        if method is None:
            raise TypeError(f"{cls.__name__} routes {action}, which it does not have")
        if action not in cls.may:
            raise TypeError(f"{cls.__name__} routes {action} but says nowhere who may: add it to `may`")
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in inspect.signature(method).parameters.values()):
            raise TypeError(f"{cls.__name__}.{action} must name what it needs")
        default = cls.default_sort.split(",")
        if action == "list" and not {name.removeprefix("-") for name in default} <= set(columns_of(cls.sortable)):
            raise TypeError(f"{cls.__name__}.default_sort is not sortable")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer one request."""
        self.request, self.kwargs = request, kwargs
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": self.allowed()})
        return Call(self, request, kwargs).answer()

    def allowed(self) -> str:
        """Return the methods that this path answers to."""
        return ", ".join(sorted({method.upper() for method in self.action_map} | {"OPTIONS"}))

    def operation_for(self, action: str) -> Operation:
        """Return what an operation declares of itself."""
        return operation_of(getattr(type(self), action))

    def context_for(self, action: str) -> Context:
        """Return where an operation takes its organization from."""
        if self.may[action] is Access.PUBLIC:
            return Context.PUBLIC
        declared = self.operation_for(action).context
        return declared or self.contexts.get(action, self.context)

    def has_row(self, operation: Operation) -> bool:
        """Tell whether the path names a row of this resource."""
        if operation.row is not None:
            return operation.row
        has_rows = type(self).rows is not Resource.rows and self.may[self.action] is not Access.PUBLIC
        return has_rows and self.lookup in self.kwargs and self.action != "list"

    def needs_organization(self, operation: Operation) -> bool:
        """Tell whether the operation makes a row that must belong to an organization."""
        if operation.needs_organization is not None:
            return operation.needs_organization
        return self.action == "create" and self.context_for(self.action) is Context.REQUIRED
