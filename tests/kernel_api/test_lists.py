"""Lists: pages, order, filters, includes, and the same number of queries whatever the size."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from restartix.kernel import clock
from tests.kernel_api.conftest import error_of


@pytest.fixture
def seven(world):
    """Seven things, made a day apart, the newest first in the alphabet."""
    from apps.profiles.models import Specialty
    from restartix.kernel.tenancy import acting_for
    from tests.kernel_api.world import SYSTEM

    with acting_for(world.south.pk, actor=SYSTEM):
        return [
            Specialty.objects.create(
                title=f"{7 - number} Knee", slug=f"knee-{number}", created_at=clock.now() - timedelta(days=8 - number)
            )
            for number in range(7)
        ]


def slugs(answer):
    assert answer.status_code == 200, answer.content
    return [each["slug"] for each in answer.json()["data"]]


class TestPages:
    def test_follow_one_another_without_overlap(self, ion, seven):
        pages = [ion.get(f"/v1/things?limit=3&page={page}").json() for page in (1, 2, 3, 4)]
        assert [len(page["data"]) for page in pages] == [3, 3, 1, 0]
        assert [page["pagination"] for page in pages] == [
            {"page": n, "limit": 3, "total": 7, "total_pages": 3} for n in (1, 2, 3, 4)
        ]
        assert len({each["id"] for page in pages for each in page["data"]}) == 7

    @pytest.mark.parametrize("page", [10**6, 2**40, 2**63 - 1])
    def test_past_the_end_are_empty_with_the_true_total(self, ion, seven, page):
        answer = ion.get(f"/v1/things?page={page}").json()
        assert (answer["data"], answer["pagination"]["total"]) == ([], 7)

    @pytest.mark.parametrize("limit", [101, 1000, 2**63 - 1])
    def test_are_at_most_a_hundred_long(self, ion, seven, limit):
        assert ion.get(f"/v1/things?limit={limit}").json()["pagination"]["limit"] == 100

    @pytest.mark.parametrize("name", ["page", "limit"])
    @pytest.mark.parametrize(
        "value",
        ["abc", "0", "-1", "", "1.5", "1e2", "01", "1_0", "%D9%A3", "99999999999999999999", "+1", "%201", "null"],
    )
    def test_have_whole_numbers_from_one(self, ion, name, value):
        answer = ion.get(f"/v1/things?{name}={value}")
        assert (answer.status_code, list(error_of(answer)["details"]["fields"])) == (422, [name])

    def test_of_nothing_have_no_pages(self, ion):
        assert ion.get("/v1/things").json() == {
            "data": [],
            "pagination": {"page": 1, "limit": 25, "total": 0, "total_pages": 0},
        }


class TestTheOrder:
    def test_is_the_declared_one_unless_asked_otherwise(self, ion, seven):
        by_title = [f"knee-{number}" for number in reversed(range(7))]
        assert slugs(ion.get("/v1/things")) == by_title
        assert slugs(ion.get("/v1/things?sort=-title")) == by_title[::-1]
        assert slugs(ion.get("/v1/things?sort=created_at")) == by_title[::-1]
        assert slugs(ion.get("/v1/things?sort=-created_at,title")) == by_title

    def test_ends_in_the_primary_key(self, world, ion):
        for number in range(5):
            world.thing("Same", f"same-{number}")
        ids = [each["id"] for each in ion.get("/v1/things?sort=title").json()["data"]]
        assert ids == sorted(ids)
        assert [each["id"] for each in ion.get("/v1/things?sort=-title").json()["data"]] == ids[::-1]

    @pytest.mark.parametrize(
        "sort",
        ["slug", "organization__slug", "?", "", "title,", "--title", "title,-title", "pk", "title desc", "Title"],
    )
    def test_by_anything_else_is_invalid(self, ion, sort):
        answer = ion.get(f"/v1/things?sort={sort.replace('?', '%3F')}")
        assert (answer.status_code, error_of(answer)["details"]["field"]) == (422, "sort")


class TestFilters:
    def test_are_exact_and_take_several_values(self, ion, seven):
        assert slugs(ion.get("/v1/things?slug=knee-3")) == ["knee-3"]
        assert slugs(ion.get("/v1/things?slug=knee-3,knee-5,none")) == ["knee-5", "knee-3"]
        assert slugs(ion.get(f"/v1/things?id={seven[0].pk},{seven[1].pk}&slug=knee-0")) == ["knee-0"]

    def test_have_ranges_by_suffix(self, ion, seven):
        moment = seven[3].created_at.isoformat().replace("+00:00", "Z")
        assert len(slugs(ion.get(f"/v1/things?created_at.gte={moment}"))) == 4
        assert len(slugs(ion.get(f"/v1/things?created_at.gt={moment}"))) == 3
        assert len(slugs(ion.get(f"/v1/things?created_at.lte={moment}"))) == 4
        assert slugs(ion.get(f"/v1/things?created_at.gte={moment}&created_at.lte={moment}")) == ["knee-3"]
        assert len(slugs(ion.get(f"/v1/things?created_at.lt={moment.replace('Z', '%2B00:00')}"))) == 3

    @pytest.mark.parametrize(
        "query",
        [
            "created_at.gte=2026-01-01T00:00:00",
            "created_at.gte=2026-01-01T00:00:00+16:00",
            "created_at.gte=x",
            "created_at.gte=9999-12-31T23:59:59-16:00",
            "id=x",
            "id=1,",
            "id=",
            "id=0",
            "id=9223372036854775808",
            "slug=",
            "has_slug=1",
            "created_at=2026-01-01T00:00:00Z",
            "created_at.eq=1",
        ],
    )
    def test_that_cannot_be_read_are_invalid(self, ion, query):
        assert ion.get(f"/v1/things?{query}").status_code == 422

    def test_of_many_values_are_bounded(self, ion):
        assert ion.get("/v1/things?id=" + ",".join(str(n + 1) for n in range(101))).status_code == 422

    def test_may_be_closed_to_a_role(self, world, api, seven):
        assert slugs(api("sara").get("/v1/things?staff_only=7 Knee")) == ["knee-0"]
        assert api("ana").get("/v1/things?staff_only=7 Knee").status_code == 403

    def test_may_choose_rows_in_their_own_way(self, ion, seven):
        assert len(slugs(ion.get("/v1/things?has_slug=true"))) == 7
        assert slugs(ion.get("/v1/things?has_slug=false")) == []


class TestSearch:
    def test_finds_text_whatever_the_case(self, ion, seven):
        assert len(slugs(ion.get("/v1/things?search=KNEE"))) == 7
        assert slugs(ion.get("/v1/things?search=%203%20kn%20")) == ["knee-4"]
        assert len(slugs(ion.get("/v1/things?search="))) == 7

    @pytest.mark.parametrize("text", ["%25", "_", "%5C", "'", "' OR 1=1 --", "%25%25", "{{7*7}}", "knee_0"])
    def test_takes_every_character_for_itself(self, ion, seven, text):
        assert slugs(ion.get(f"/v1/things?search={text}")) == []

    def test_of_a_novel_is_refused(self, ion):
        assert ion.get(f"/v1/things?search={'x' * 101}").status_code == 422


class TestIncludes:
    def test_embed_a_relation(self, world, ion, seven):
        for each in ion.get("/v1/things?include=organization").json()["data"]:
            assert each["organization"] == {"id": world.south.pk, "slug": "clinica-sud"}
        one = ion.get(f"/v1/things/{seven[0].pk}?include=organization").json()["data"]
        assert one["organization"]["slug"] == "clinica-sud"
        assert "organization" not in ion.get(f"/v1/things/{seven[0].pk}").json()["data"]

    @pytest.mark.parametrize("include", ["", "x", "organization,", "organization__members", "Organization"])
    def test_of_anything_else_are_invalid(self, ion, seven, include):
        for path in ("/v1/things", f"/v1/things/{seven[0].pk}"):
            assert ion.get(f"{path}?include={include}").status_code == 422


class TestQueries:
    @pytest.mark.parametrize(
        "query", ["", "?include=organization", "?search=knee&created_at.gte=2020-01-01T00:00:00Z&sort=-created_at"]
    )
    def test_are_as_many_for_seven_rows_as_for_one(self, world, ion, query):
        def count():
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert ion.get(f"/v1/things{query}").status_code == 200
            return len(captured)

        ion.get("/v1/me")  # warm
        world.thing("1 knee", "first")
        one = count()
        for number in range(6):
            world.thing(f"{number} knee", f"more-{number}")
        assert count() == one <= 5  # BEGIN, who calls, the total, the rows, COMMIT
