"""One call of one operation, judged in the contract's order.

405, 406 → 401 → 429 → organization context (400, 403) → row in the path (404) → role (403) → If-Match (412) → query and
body (400, 413, 415, 422) → state (409). From the context on everything runs in one transaction, with the record of the
Idempotency-Key in it; a transaction that lost against another one is repeated as a whole.
Source: contract/organizations.md, section 0.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from restartix.kernel.api import authentication, contexts, idempotency, identity, impersonated, queries, throttling
from restartix.kernel.api.answers import answer_with
from restartix.kernel.api.bodies import SentBody
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.continuing import Pending
from restartix.kernel.api.errors import answer_to, is_contention, refused
from restartix.kernel.api.negotiation import check_accepted
from restartix.kernel.api.operations import Operation
from restartix.kernel.api.requests import client_ip, network_of, trace_of
from restartix.kernel.api.serializers import Query, read
from restartix.kernel.errors import Forbidden, MethodNotAllowed, NotFound, OrganizationRequired, Refusal
from restartix.kernel.roles import Access
from restartix.kernel.tenancy import Actor, acting_for, scoped
from restartix.kernel.tokens import VerifiedToken

if TYPE_CHECKING:
    from restartix.kernel.api.resources import Resource

ATTEMPTS = 4
_PAUSE_SECONDS = 0.02


class Call:
    """One request to one operation of a resource."""

    def __init__(self, view: Resource, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        """Take the resource's instance, made for this request alone, and the values of the path."""
        self.view, self.request, self.kwargs = view, request, kwargs
        self._is_counted = False
        self._kept_under: idempotency.Key | None = None
        self.token: VerifiedToken | None = None
        #: Who acts as somebody else in this request, once that is known.
        self.impersonator: Actor | None = None

    def answer(self) -> HttpResponseBase:
        """Answer, whatever happens."""
        try:
            response = self._answer()
        except Exception as error:  # noqa: BLE001 (the one place where every mistake becomes an answer)
            response = self._refused(error)
        if self.token is not None and self.token.kind == "impersonation":
            response["X-Impersonation-ID"] = str(self.token.claims.get("imp"))
        return response

    def _refused(self, error: Exception) -> HttpResponseBase:
        """Answer what was refused or failed; under impersonation that leaves a trace too, in a transaction of its own.

        If the trace cannot be written, the request was not answered: that failure is told instead.
        """
        response = refused(error, self.request)
        try:
            impersonated.trace_refused(self.impersonator, trace_of(self.request), status=response.status_code)
        except Exception as failure:  # noqa: BLE001 (as above)
            return refused(failure, self.request)
        return response

    def _answer(self) -> HttpResponseBase:
        view, request = self.view, self.request
        action = view.action_map.get((request.method or "").lower())
        if action is None:
            raise MethodNotAllowed(headers={"Allow": view.allowed()})
        view.action = action
        self.operation = view.operation_for(action)
        check_accepted(request, self.operation.produces)
        self.token = authentication.token_of(request, required=view.may[action] is not Access.PUBLIC)
        self._throttle()
        self.context = view.context_for(action)
        self.header = None if self.context is Context.IGNORED else contexts.header_of(request)
        self.key = idempotency.key_of(request)
        self.sent = view.sent = SentBody(request, self.operation)
        return self._continued(self._repeating(self._transact))

    def _throttle(self) -> None:
        """Count the request against the caller's limits: the general one and the operation's own."""
        network = network_of(client_ip(self.request))
        subject = self.token.caller if self.token else None
        self.caller = f"user:{subject}" if subject else f"ip:{network}"
        own = [limit.bucket(self.caller, self.kwargs) for limit in self.operation.limits if limit.by is None]
        self._judge([*own, throttling.general_bucket(subject=subject, network=network)])

    def _throttle_named(self) -> None:
        """Count it, once, against the limits of what the path names, when it is known that the caller may."""
        named = [limit.bucket(self.caller, self.kwargs) for limit in self.operation.limits if limit.by is not None]
        if named and not self._is_counted:
            self._is_counted = True
            self._judge(named)

    def _judge(self, buckets: list[throttling.Bucket]) -> None:
        verdict = throttling.judge(buckets)
        self.request.META[throttling.VERDICT] = verdict  # for the middleware, which writes the headers
        verdict.check()

    def _repeating(self, work: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Run `work`, and again, at most three times, after a serialization failure, a deadlock or a lock not given."""
        for attempt in range(ATTEMPTS):
            try:
                return work()
            except Exception as error:
                if attempt + 1 == ATTEMPTS or not is_contention(error):
                    raise
                time.sleep(_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    def _transact(self) -> HttpResponseBase:
        with transaction.atomic(), self._entered():
            kept_under = self.key if self.operation.is_kept and self.sent.is_complete else None
            response = self._operate() if kept_under is None else self._once(kept_under)
            impersonated.trace_answered(self.impersonator, self.request.method or "", status=response.status_code)
            return response

    def _continued(self, response: HttpResponseBase) -> HttpResponseBase:
        """Do, in no transaction, what the operation left to be done outside, and answer it in a second one."""
        if not isinstance(response, Pending):
            return response
        try:
            result = response.outside.work()
            with response.outside.undone_on_failure(result):
                return self._repeating(lambda: self._concluded(response, result))
        except Exception:
            if self._kept_under is not None:
                self._kept_under.forget()  # nothing is going on any more: the same key may try again
            raise

    def _concluded(self, pending: Pending, result: Any) -> HttpResponseBase:
        with pending.scope_again():
            response = answer_with(pending.outside.answer(result), self.view, self.operation)
            if self._kept_under is not None:
                self._kept_under.store(response)
            return response

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Find the caller and the organization, judge them, and act in their scope."""
        wanted, by_header = self._wanted()
        if self.token is None and wanted is None:
            found, ask = identity.Found(), identity.Ask(None, None, is_public=True, trace=trace_of(self.request))
        else:
            ask = identity.Ask(
                self.token, wanted, is_public=self.context is Context.PUBLIC, trace=trace_of(self.request)
            )
            found = identity.look_up(ask)
            self.impersonator = impersonated.impersonator_in(found, self.token)
        entered = contexts.decide(ask, found, context=self.context, by_header=by_header)
        self.view.enter(entered)
        scope = contexts.scope_of(entered, ask.trace)
        with scoped(scope) if scope else nullcontext():
            yield

    def _wanted(self) -> tuple[int | None, bool]:
        """Return the organization that the request names, and whether only the header does."""
        if self.context is Context.PUBLIC:
            named = self.view.organization_of()
        elif self.context is Context.PATH:
            named = self.kwargs[self.view.organization_kwarg]
        else:
            return self.header, self.header is not None
        if named is not None and self.header not in {None, named}:
            raise NotFound
        return named, False

    def _once(self, sent_key: str) -> HttpResponseBase:
        """Answer as the first time, if there was one; else answer, and keep it."""
        organization = self.view.organization
        key = idempotency.key_for(
            sent_key,
            caller=self.caller,
            organization_id=organization.id if organization else None,
            request=self.request,
            fingerprint=idempotency.fingerprint_of(self.request, self.sent.content),
        )
        key.lock()
        again = key.stored()
        if again is not None and (again.status_code >= 400 or self._role_may()):
            return again
        try:
            with transaction.atomic():
                response = self._operate()
        except Refusal as refusal:
            response = answer_to(refusal, self.request)
        if again is None:
            key.store(response)
            self._kept_under = key
        return response

    def _operate(self) -> HttpResponseBase:
        view, operation = self.view, self.operation
        on_row = view.has_row(operation)
        if on_row:
            view.find_row(locked="HTTP_IF_MATCH" in self.request.META and self._writes)
        impersonated.check_in_person(view.actor, operation, self.sent.peek())
        if not self._role_may():
            raise Forbidden
        view.permit()
        self._throttle_named()
        if not on_row and view.organization is None and view.needs_organization(operation):
            raise OrganizationRequired
        with self._narrowed():
            if view.row is not None:  # a public operation may have found one in `permit`
                view.check_precondition()
            value = getattr(view, view.action)(**self._arguments(operation))
            return answer_with(value, view, operation)

    @property
    def _writes(self) -> bool:
        return self.request.method in idempotency.METHODS

    def _narrowed(self) -> AbstractContextManager[object]:
        """Let a superadmin without an organization change a row in the scope of the row's own."""
        owner = getattr(self.view.row, "organization_id", None)
        if self.view.organization is not None or owner is None or not self._writes:
            return nullcontext()
        self.view.actor = self.view.actor.within(owner, self.view.actor.role)
        return acting_for(owner, actor=self.view.actor, trace=trace_of(self.request))

    def _role_may(self) -> bool:
        allowed = self.view.may[self.view.action]
        return isinstance(allowed, Access) or self.view.actor.effective_role in allowed

    def _arguments(self, operation: Operation) -> dict[str, Any]:
        """Return what the operation asks for by name; reads query and body whether it asks or not."""
        view = self.view
        available: dict[str, Any] = {**self.kwargs, "request": self.request, "row": view.row}
        if operation.query is None and view.action == "retrieve" and view.has_row(operation):
            view.read_row_query()
            available["row"] = view.row
        elif operation.query is not None or view.action != "list":
            query = queries.parse_query(self.request)
            available["query"] = read(operation.query or Query, query, context=view.serializer_context())
        if self._writes:
            available["body"] = view.read_body(self.sent.value(), operation)
        return {name: available[name] for name in operation.parameters}
