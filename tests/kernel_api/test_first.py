from tests.kernel_api.conftest import error_of


def test_a_list_is_a_page(world, ion):
    world.thing()
    answer = ion.get("/v1/things")
    assert answer.status_code == 200, answer.content
    assert answer.json()["pagination"] == {"page": 1, "limit": 25, "total": 1, "total_pages": 1}
    assert set(answer.json()["data"][0]) == {"id", "organization_id", "title", "slug", "created_at"}


def test_a_creation_answers_201_with_its_address(world, ion):
    answer = ion.post("/v1/things", {"title": " Knee ", "slug": "knee"})
    assert answer.status_code == 201, answer.content
    thing = answer.json()["data"]
    assert answer["Location"] == f"/v1/things/{thing['id']}"
    assert ion.get(answer["Location"]).json()["data"] == thing
    assert error_of(ion.post("/v1/things", {"title": "x", "slug": "knee"})) ["details"] == {"field": "slug", "error": "already taken"}
