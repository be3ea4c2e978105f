"""A small resource of the tests' own, over the table of specialties: every convention can be met on it."""

from __future__ import annotations

from django.db import DataError, connection
from django.http import HttpResponse

from apps.profiles.models import Specialty
from restartix.kernel.api import fields
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Ids, Instants, Search, Words
from restartix.kernel.api.operations import MULTIPART, Answered, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Body, Query, Representation
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import AlreadyTaken, Conflict, Forbidden, Invalid, NotFound, refusing
from restartix.kernel.roles import ADMINS, MEMBERS, PLATFORM, PUBLIC, SIGNED_IN, STAFF, Role
from tests.kernel_api import world


class OrganizationRef(Representation):
    id = fields.Id()
    slug = fields.Slug()


class ThingSerializer(Representation):
    on_request = ("organization",)

    id = fields.Id()
    organization_id = fields.Id()
    title = fields.Text(max_length=120)
    slug = fields.Slug()
    created_at = fields.Instant()
    organization = OrganizationRef()


class ThingFilters(ApiFilterSet):
    id = Ids()
    slug = Words()
    has_slug = By(Flag(), lambda queryset, value: queryset if value else queryset.none())
    staff_only = Words("title", roles=STAFF)
    created_at = Instants()
    search = Search("title", "slug")


class PartBody(Body):
    kind = fields.Choice(("knee", "hip"))
    priority = fields.Integer(min_value=1, max_value=100)


class ThingBody(Body):
    title = fields.Text(max_length=120)
    slug = fields.Slug()
    note = fields.Text(max_length=10, required=False, allow_null=True)
    parts = fields.ListOf(PartBody(), max_items=3, required=False)
    at = fields.Instant(required=False, whole_minutes=True)
    count = fields.Integer(required=False, max_value=1000)
    flag = fields.Boolean(required=False)
    price = fields.Money(required=False, allow_null=True)
    tags = fields.ListOf(fields.Text(max_length=5), max_items=3, unique=True, required=False)


class TitleTooShort(Conflict):
    """The title is too short for this state."""

    code = "title_too_short"


class Things(Resource):
    """Things: what the tests put into a clinic."""

    serializer_class = ThingSerializer
    filterset_class = ThingFilters
    sortable = ("title", "created_at", "id")
    default_sort = "title"
    location = "/v1/things/{id}"
    includes = {"organization": lambda queryset: queryset.select_related("organization")}
    may = {
        "list": MEMBERS,
        "retrieve": MEMBERS,
        "create": ADMINS,
        "update": ADMINS,
        "destroy": ADMINS,
        "shorten": STAFF,
        "recorded": ADMINS,
        "broken": MEMBERS,
        "broken_on_write": MEMBERS,
        "contended": MEMBERS,
        "upload": ADMINS,
    }
    #: What the operations of this process have done, for tests that count effects.
    attempts = 0

    def rows(self):
        rows = Specialty.objects.all()
        return rows.exclude(slug="hidden") if self.actor.effective_role is Role.PATIENT else rows

    @operation(body=ThingBody, status=201, errors=(AlreadyTaken,))
    def create(self, body):
        with refusing(specialty_slug_free=AlreadyTaken("slug")):
            return Specialty.objects.create(title=body["title"], slug=body["slug"])

    @operation(body=ThingBody, errors=(AlreadyTaken,))
    def update(self, row, body):
        for name in {"title", "slug"} & set(body):
            setattr(row, name, body[name])
        row.save()
        return row

    def destroy(self, row):
        row.delete()

    @operation(errors=(TitleTooShort,), limits=(Limit("shorten", "5/m"),))
    def shorten(self, row):
        row.title = row.title[:-1]
        row.save()
        if len(row.title) < 3:
            raise TitleTooShort
        return row

    @operation(errors=(TitleTooShort,))
    def recorded(self, row):
        """A refusal that is returned: what was done stays done."""
        row.title = "checked"
        row.save()
        return TitleTooShort()

    def broken(self, mode: str):
        """Fail in the way that the path names."""
        if mode == "data":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 'x'::text::int")
        if mode == "value":
            raise DataError("out of range")
        if mode == "slow":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 50")
                cursor.execute("SELECT pg_sleep(1)")
        if mode == "constraint":
            Specialty.objects.create(title="t", slug="NOT A SLUG")
        if mode == "unique":
            Specialty.objects.create(title="t", slug="twice")
            Specialty.objects.create(title="t", slug="twice")
        raise RuntimeError("secret detail")

    def broken_on_write(self, mode: str):
        """Fail in the same way."""
        self.broken(mode)

    def contended(self):
        """Lose against another transaction twice, then win."""
        type(self).attempts += 1
        if type(self).attempts < 3:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$")
        return {"attempts": type(self).attempts}


class UploadBody(Body):
    title = fields.Text(max_length=20, required=False)
    file = fields.File()


class Uploads(Resource):
    """Uploads: files."""

    may = {"upload": ADMINS}

    @operation(body=UploadBody, consumes=(MULTIPART,), max_bytes=2 * 1024 * 1024, status=201)
    def upload(self, body):
        return {"name": body["file"].name, "size": body["file"].size}


class PlaceQuery(Query):
    from_ = fields.Date()
    days = fields.Integer(min_value=1, max_value=31, required=False)
    exact = fields.Boolean(required=False)
    ids = fields.ListOf(fields.Id(), required=False)


class PublicBody(Body):
    thing_id = fields.Id()


class PublicThings(Resource):
    """Public things: what anybody may see."""

    may = {"peek": PUBLIC, "choose": PUBLIC, "places": PUBLIC, "nowhere": PUBLIC}

    def organization_of(self):
        if self.action == "nowhere":
            return None
        wanted = self.sent.peek().get("thing_id") if self.action == "choose" else self.kwargs.get("id")
        if self.action == "places":
            wanted = 1
        if not isinstance(wanted, int):
            return None
        organization = world.organization_of_thing(wanted)
        if organization is None:
            raise NotFound
        return organization

    def peek(self, id: int):  # noqa: A002
        thing = Specialty.objects.filter(pk=id).first()
        if thing is None:
            raise NotFound
        return {"title": thing.title, "caller": self.actor.kind, "role": self.actor.role}

    @operation(body=PublicBody, limits=(Limit("hold", "20/m"),), status=201)
    def choose(self, body):
        return {"chosen": body["thing_id"]}

    @operation(query=PlaceQuery, cache_control="public, max-age=60")
    def places(self, query):
        return Answered({"query": {name: str(value) for name, value in query.items()}}, headers={"X-Extra": "1"})

    def nowhere(self):
        return {"organization": self.organization and self.organization.id}


class Mine(Resource):
    """Mine: who I am."""

    context = Context.OPTIONAL
    contexts = {"switch": Context.IGNORED}
    may = {"show": SIGNED_IN, "switch": SIGNED_IN}

    def show(self):
        return {
            "id": self.person.id,
            "organization": self.organization.id if self.organization else None,
            "role": self.actor.effective_role,
        }

    def switch(self):
        return {"organization": self.organization.id if self.organization else None}


class Clinics(Resource):
    """Clinics: organizations by their path."""

    context = Context.PATH
    may = {"show": MEMBERS, "rename": ADMINS, "platform": PLATFORM}

    def show(self, id: int):  # noqa: A002
        return {"id": id, "role": self.actor.effective_role}

    @operation(context=Context.OPTIONAL)
    def platform(self):
        return HttpResponse(b"raw", content_type="text/plain")

    @operation(body=ThingBody)
    def rename(self, body):
        if body["title"] == "self":
            raise Forbidden(details={"reason": "self"})
        raise Invalid({"title": ["not found"]})
