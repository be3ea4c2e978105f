"""ETags: the same while nothing changes, another when something does, and conditions built on them."""

import pytest

from restartix.kernel.api.etags import etag_of, matches
from tests.kernel_api.conftest import error_of


class TestASingleResource:
    def test_carries_a_strong_etag(self, world, ion):
        thing = world.thing()
        first, second = (ion.get(f"/v1/things/{thing.pk}")["ETag"] for _ in range(2))
        assert first == second
        assert first.startswith('"')
        assert "ETag" not in ion.get("/v1/things").headers

    def test_has_another_one_when_it_has_changed(self, world, ion):
        thing = world.thing()
        before = ion.get(f"/v1/things/{thing.pk}")["ETag"]
        ion.put(f"/v1/things/{thing.pk}", {"title": "New"})
        assert ion.get(f"/v1/things/{thing.pk}")["ETag"] != before

    @pytest.mark.parametrize("header", ["{}", "W/{}", '"x", {}', "*"])
    def test_is_not_sent_again_to_who_has_it(self, world, ion, header):
        path = f"/v1/things/{world.thing().pk}"
        etag = ion.get(path)["ETag"]
        answer = ion.get(path, if_none_match=header.format(etag))
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
        assert ion.get(path, if_none_match='"x"').status_code == 200


class TestAChange:
    def path(self, world):
        return f"/v1/things/{world.thing().pk}"

    def test_of_the_state_that_was_read_is_made(self, world, ion):
        path = self.path(world)
        for header in (ion.get(path)["ETag"], "*", f'"x", {ion.get(path)["ETag"]}'):
            assert ion.put(path, {"slug": "same"}, if_match=header).status_code in {200, 412}
        assert ion.put(path, {"title": "B"}, if_match=ion.get(path)["ETag"]).status_code == 200
        assert ion.delete(path, if_match=ion.get(path)["ETag"]).status_code == 204

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_of_an_older_state_is_refused(self, world, ion, method):
        path = self.path(world)
        old = ion.get(path)["ETag"]
        ion.put(path, {"title": "B"})
        now = ion.get(path)["ETag"]
        answer = getattr(ion, method)(path, if_match=old)
        assert (answer.status_code, error_of(answer)["code"], answer["ETag"]) == (412, "precondition_failed", now)
        assert ion.get(path)["ETag"] == now

    @pytest.mark.parametrize("header", ["W/{}", "", "x", '""', '"x"'])
    def test_under_a_condition_that_names_no_state_is_refused(self, world, ion, header):
        path = self.path(world)
        assert ion.put(path, {"title": "B"}, if_match=header.format(ion.get(path)["ETag"])).status_code == 412

    def test_may_be_based_on_a_reading_with_includes(self, world, ion):
        path = self.path(world)
        etag = ion.get(f"{path}?include=organization")["ETag"]
        assert etag != ion.get(path)["ETag"]
        assert ion.put(path, {"title": "B"}, if_match=etag).status_code == 200
        assert ion.put(path, {"title": "C"}, if_match=etag).status_code == 412

    def test_by_two_who_read_the_same_is_made_by_one(self, world, api):
        from tests.races.crowd import at_once

        path = self.path(world)
        etag = api("ion").get(path)["ETag"]
        outcomes = at_once(
            [lambda n=n: api("ion").put(path, {"title": f"T{n}"}, if_match=etag).status_code for n in range(8)]
        )
        assert sorted(outcomes) == [200] + [412] * 7


def test_fields_that_change_without_the_resource_do_not_count():
    one, other = ({"id": 1, "url": f"https://s.example/{n}"} for n in (1, 2))
    assert etag_of(one, volatile=("url",)) == etag_of(other, volatile=("url",))
    assert etag_of(one) != etag_of(other)


def test_a_star_names_every_state():
    assert matches("*", '"x"', weak=False)
    assert not matches('W/"x"', '"x"', weak=False)
    assert matches('W/"x"', '"x"', weak=True)
