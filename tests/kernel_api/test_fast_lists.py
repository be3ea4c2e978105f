"""The quick way to write a list answers in the same bytes as the ordinary way, and steps aside where it cannot."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Value
from django.test.utils import CaptureQueriesContext

from apps.profiles.models import Specialist, Specialty
from restartix.kernel import clock
from restartix.kernel.api import fields, lists
from restartix.kernel.api.envelope import dumps
from restartix.kernel.api.fast.lists import statements
from restartix.kernel.api.fast.rows import NotCompilable, compile_rows
from restartix.kernel.api.serializers import Representation
from restartix.kernel.tenancy import acting_for
from tests.kernel_api.views import ThingSerializer
from tests.kernel_api.world import SYSTEM

ALPHABET = ["Knee", "knee%", "hip_", "Șold", "back\\slash", "'quote'", "50%", "x"]


@pytest.fixture(autouse=True)
def _forget_statements():
    statements._kept.clear()


@pytest.fixture
def many(world):
    choose = random.Random(7)
    for clinic in (world.south, world.north):
        with acting_for(clinic.pk, actor=SYSTEM):
            Specialty.objects.bulk_create(
                Specialty(
                    title=choose.choice(ALPHABET),
                    slug=f"thing-{number}" if number % 9 else "hidden" if number == 9 else f"other-{number}",
                    created_at=clock.now() - timedelta(minutes=choose.randrange(1000), microseconds=number),
                )
                for number in range(60)
            )
    return world


def _query(choose, world):
    things = [str(thing.pk) for thing in world.things()]
    moment = (clock.now() - timedelta(minutes=choose.randrange(1000))).isoformat().replace("+00:00", "Z")
    parts = {
        "search": choose.choice([*ALPHABET, "", "k", "%", "_", "\\"]).replace("%", "%25"),
        "id": ",".join([*choose.sample(things, choose.randrange(1, 5)), "1"]),
        "slug": ",".join(f"thing-{choose.randrange(60)}" for _ in range(choose.randrange(1, 4))),
        "created_at.gte": moment,
        "created_at.lt": moment,
        "has_slug": "true",
        "sort": choose.choice(["title", "-title", "created_at", "-created_at,title", "id", "-id"]),
        "page": str(choose.randrange(1, 5)),
        "limit": str(choose.choice([1, 3, 25, 100])),
        "include": "organization",
    }
    chosen = choose.sample(sorted(parts), choose.randrange(0, 6))
    return "&".join(f"{name}={parts[name]}" for name in chosen)


class TestTheQuickWay:
    def test_answers_in_the_same_bytes_as_the_ordinary_way(self, many, api, monkeypatch):
        choose = random.Random(11)
        people = [api("ion"), api("ana"), api("sara"), api("root"), api("vera", x_organization_id=str(many.north.pk))]
        quick = []
        real = lists.fast_page
        monkeypatch.setattr(lists, "fast_page", lambda view, wanted: quick.append(real(view, wanted)) or quick[-1])
        requests = [(choose.choice(people), "/v1/things?" + _query(choose, many)) for _ in range(150)]
        answers = [person.get(path) for person, path in requests]
        monkeypatch.setattr(lists, "fast_page", lambda view, wanted: None)
        for (person, path), answer in zip(requests, answers, strict=True):
            ordinary = person.get(path)
            assert (answer.status_code, answer.content) == (ordinary.status_code, ordinary.content), path
        assert sum(page is not None for page in quick) > 100

    def test_takes_one_statement_for_page_and_total(self, many, ion):
        ion.get("/v1/things?search=kn&sort=-created_at")
        with CaptureQueriesContext(connection) as captured:
            ion.get("/v1/things?search=hip&sort=-created_at&page=1")
        assert len(captured) == 4  # BEGIN, who calls, the page, COMMIT

    def test_keeps_one_statement_for_all_people_of_a_role(self, many, api):
        for person in ("ion", "vera"):
            for text in ("a", "b"):
                api(person).get(f"/v1/things?search={text}&slug={text},{text}x")
        assert len(statements._kept) == 1
        assert all(statements._kept.values())

    def test_is_not_taken_where_no_organization_is_active(self, many, api, monkeypatch):
        from restartix.kernel.api.contexts import Context
        from restartix.kernel.roles import SIGNED_IN
        from tests.kernel_api.views import Things

        monkeypatch.setattr(Things, "context", Context.OPTIONAL)
        monkeypatch.setattr(Things, "may", {**Things.may, "list": SIGNED_IN})
        assert api("root").get("/v1/things").json()["pagination"]["total"] == 120
        assert api("nora").get("/v1/things").status_code == 500  # NoActiveOrganization: a mistake of the resource
        assert list(statements._kept.values())[-1] is None

    def test_never_shows_the_rows_of_another_organization(self, many, api):
        north = {thing.pk for thing in many.things(many.north)}
        vera = api("vera")
        for _ in range(2):
            for clinic, expected in ((many.south, False), (many.north, True)):
                page = vera.get("/v1/things?limit=100", x_organization_id=str(clinic.pk)).json()["data"]
                assert len(page) == 60
                assert all((each["id"] in north) is expected for each in page)


class TestWhatIsKept:
    def test_is_nothing_that_another_request_could_need_otherwise(self, many, api, monkeypatch):
        from tests.kernel_api.views import Things

        def outcome(rows):
            statements._kept.clear()
            monkeypatch.setattr(Things, "rows", rows)
            assert api("ion").get("/v1/things").status_code == 200
            return next(iter(statements._kept.values())) is not None

        assert outcome(lambda view: Specialty.objects.all())
        assert outcome(lambda view: Specialty.objects.filter(organization_id=view.organization.id))
        assert outcome(lambda view: Specialty.objects.exclude(slug=f"{view.organization.timezone}"[:0]))
        assert not outcome(lambda view: Specialty.objects.filter(created_at__lte=clock.now()))
        assert not outcome(lambda view: Specialty.objects.exclude(title=view.organization.timezone))
        assert not outcome(lambda view: Specialty.objects.exclude(title=view.organization.slug))
        assert not outcome(lambda view: Specialty.objects.exclude(title=view.person.name))
        assert not outcome(lambda view: Specialty.objects.exclude(title=f"user-{view.actor.id}"))
        assert not outcome(lambda view: Specialty.objects.exclude(title=view.request.path))
        assert not outcome(
            lambda view: Specialty.objects.exclude(pk=Specialty.objects.order_by("pk").values_list("pk")[0][0])
        )
        assert not outcome(lambda view: Specialty.objects.none())


class Inner(Representation):
    id = fields.Id()
    name = fields.Text(max_length=9, source="title")


class Outer(Representation):
    id = fields.Id()
    price = fields.Computed(fields.Money(), "id", by=lambda number: number / 2)
    clinic = Inner(source="organization", allow_null=True)
    when = fields.Part(Inner(), when="slug")
    extra = fields.Integer()


class TestACompiledRow:
    def test_has_nested_computed_and_partial_objects(self, world):
        class ClinicRef(Representation):
            slug = fields.Slug()

        class Whole(Representation):
            id = fields.Id()
            half = fields.Computed(fields.Money(), "id", by=lambda number: number / 2)
            none = fields.Computed(fields.Text(max_length=3, allow_null=True), "title", by=lambda title: None)
            organization = ClinicRef()
            part = fields.Part(Inner(), when="slug")
            doubled = fields.Integer()

        thing = world.thing()
        writer = compile_rows(Specialty, Whole(), annotations={"doubled"})
        with acting_for(world.south.pk, actor=SYSTEM):
            queryset = Specialty.objects.annotate(doubled=Value(4))
            written = writer.write(list(queryset.values_list(*writer.columns)))
            assert dumps(written) == dumps(Whole(queryset, many=True).data)
        assert written[0] == {
            "id": thing.pk, "half": f"{thing.pk / 2:.2f}", "none": None, "organization": {"slug": "clinica-sud"},
            "part": {"id": thing.pk, "name": "Knee"}, "doubled": 4,
        }  # fmt: skip

    def test_has_null_for_a_link_that_leads_nowhere(self, world):
        class UserRef(Representation):
            id = fields.Id(source="pk")
            name = fields.Text(max_length=200)

        class SpecialistShape(Representation):
            name = fields.Text(max_length=200)
            user = UserRef(allow_null=True)
            email = fields.Computed(fields.Email(allow_null=True), "user.email", by=lambda email: email)

        with acting_for(world.south.pk, actor=SYSTEM):
            Specialist.objects.create(name="A", slug="aa")
            Specialist.objects.create(name="B", slug="bb", user=world.people["sara"])
            queryset = Specialist.objects.order_by("name")
            writer = compile_rows(Specialist, SpecialistShape())
            written = writer.write(list(queryset.values_list(*writer.columns)))
            assert dumps(written) == dumps(SpecialistShape(queryset, many=True).data)
        assert [each["user"] and each["user"]["name"] for each in written] == [None, "Sara"]
        assert [each["email"] for each in written] == [None, "sara@example.org"]

    def test_is_not_made_of_what_only_instances_know(self):
        class ByMethod(Representation):
            id = fields.Id()
            title = __import__("rest_framework").serializers.SerializerMethodField()

            def get_title(self, thing):
                return thing.title

        class Unknown(Representation):
            nothing = fields.Id()

        class OwnWay(Representation):
            id = fields.Id()

            def to_representation(self, instance):
                return {}

        class Many(Representation):
            specialists = Inner(many=True)

        for shape in (ByMethod, Unknown, OwnWay, Many):
            with pytest.raises(NotCompilable):
                compile_rows(Specialty, shape())

    def test_of_the_things_is_compiled(self):
        assert compile_rows(Specialty, ThingSerializer(context={"include": ("organization",)})).columns == (
            "id", "organization_id", "title", "slug", "created_at", "organization__id", "organization__slug",
        )  # fmt: skip
