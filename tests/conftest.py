"""What every test may ask for: the cast, and requests by any of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.client import Api

ApiOf = Callable[..., Api]


@pytest.fixture
def cast(request: pytest.FixtureRequest):
    """Two clinics and the people of the contract's scenarios; see `tests.make.cast`."""
    from tests.make.cast import assemble

    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return assemble()


@pytest.fixture
def api(request: pytest.FixtureRequest) -> ApiOf:
    """Requests by a person of the cast or a user: `api(cast.ion).get("/v1/me")`; `api()` is nobody in particular.

    `api(cast.vera, cast.nord)` sends X-Organization-ID.
    """
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")

    def of(person: object = None, organization: object = None) -> Api:
        user = getattr(person, "user", person)
        return Api.of(getattr(user, "clerk_user_id", None), getattr(organization, "pk", organization))

    return of
