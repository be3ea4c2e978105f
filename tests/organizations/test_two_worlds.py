"""One person in two clinics sees one of them at a time (contract/organizations.md, acceptance scenario 1)."""


def test_the_header_or_the_current_organization_says_which(cast, api):
    south = api(cast.vera, cast.sud).get("/v1/specialists").ids
    north = api(cast.vera, cast.nord).get("/v1/specialists").ids
    api(cast.vera).put("/v1/me/switch-organization", {"organization_id": cast.nord.pk})

    assert sorted(south) == sorted([cast.sara.specialist.pk, cast.tudor.specialist.pk])
    assert north == [cast.sorin.specialist.pk]
    assert api(cast.vera).get("/v1/specialists").ids == north


def test_a_clinic_that_one_is_not_in_is_refused_or_not_there(cast, api):
    assert api(cast.ion, cast.nord).get("/v1/specialists").status == 403
    assert api(cast.ion, 10**15).get("/v1/specialists").status == 403
    assert api(cast.ion, "abc").get("/v1/specialists").status == 422
    assert api(cast.ion).get(f"/v1/organizations/{cast.nord.pk}").status == 404
