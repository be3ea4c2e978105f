"""Strong validators: the ETag of one resource, and the conditions that callers build on it.

An ETag has one part, or two when `include=` was given or a field settles by itself (a video room becoming ready): the
hash of the plain representation, and the hash of the whole. `If-Match` compares the first part, so that an ETag read
with an include guards a change just as well, and nobody's change is refused for what no person changed.
Source: contract/conventions.md, "Every answer"; RFC 9110, sections 8.8 and 13.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from restartix.kernel.api.envelope import dumps
from restartix.kernel.errors import PreconditionFailed


def etag_of(data: Mapping[str, Any], *, volatile: Collection[str] = (), included: Collection[str] = ()) -> str:
    """Return the ETag of `data`: without `volatile` fields, with `included` ones in the second part."""
    steady = {name: value for name, value in data.items() if name not in volatile}
    plain = _hash({name: value for name, value in steady.items() if name not in included})
    return f'"{plain}.{_hash(steady)}"' if included else f'"{plain}"'


def _hash(value: Any) -> str:
    return hashlib.blake2b(dumps(value), digest_size=12).hexdigest()


def matches(header: str, etag: str, *, weak: bool) -> bool:
    """Tell whether `header` (If-Match, or If-None-Match with `weak`) names `etag`."""
    if header.strip() == "*":
        return True
    named = [tag.strip() for tag in header.split(",")]
    return etag in ([tag.removeprefix("W/") for tag in named] if weak else named)


def check_unchanged(header: str, etag: str) -> None:
    """Raise PreconditionFailed (412) unless `header` names the present state, whatever it was read with."""
    plain = etag.strip('"').partition(".")[0]
    named = [
        '"' + tag.strip().strip('"').partition(".")[0] + '"'
        for tag in header.split(",")
        if not tag.strip().startswith("W/")
    ]
    if header.strip() != "*" and f'"{plain}"' not in named:
        raise PreconditionFailed(headers={"ETag": etag})
