"""Whether the caller can take what an operation gives (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import HttpRequest

from restartix.kernel.errors import NotAcceptable

_RANGE = re.compile(r"([a-z0-9!#$&^_.+-]+|\*)/([a-z0-9!#$&^_.+-]+|\*)")


def check_accepted(request: HttpRequest, produced: Sequence[str]) -> None:
    """Raise NotAcceptable (406) unless `Accept` is absent or lets one of the `produced` media types through."""
    header = request.META.get("HTTP_ACCEPT", "").strip()
    if not header or header == "*/*":
        return
    ranges = [parsed for part in header.split(",") if (parsed := _parse(part))]
    if not any(_quality(ranges, media_type) > 0 for media_type in produced):
        raise NotAcceptable(details={"available": list(produced)})


def _parse(part: str) -> tuple[str, str, float] | None:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    matched = _RANGE.fullmatch(media_range)
    if matched is None:
        return None
    quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
    try:
        return matched[1], matched[2], float(quality)
    except ValueError:
        return None


def _quality(ranges: Sequence[tuple[str, str, float]], media_type: str) -> float:
    """Return the quality of the most specific range that names `media_type`."""
    kind, _, subtype = media_type.partition(";")[0].partition("/")
    best, answer = -1, 0.0
    for range_kind, range_subtype, quality in ranges:
        if range_kind in {kind, "*"} and range_subtype in {subtype, "*"}:
            specificity = (range_kind != "*") + (range_subtype != "*")
            if specificity > best:
                best, answer = specificity, quality
    return answer
