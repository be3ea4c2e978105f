"""Algebra of half-open intervals [start, end) of integers, kept sorted and apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the maximal intervals of a union: sorted, not empty, neither overlapping nor touching."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def difference(keep: Iterable[Interval], drop: Iterable[Interval]) -> list[Interval]:
    """Return what lies in `keep` and not in `drop`, as maximal intervals."""
    holes = union(drop)
    rest: list[Interval] = []
    passed = 0
    for kept_from, end in union(keep):
        start = kept_from
        while passed < len(holes) and holes[passed][1] <= start:
            passed += 1
        inside = passed
        while inside < len(holes) and holes[inside][0] < end:
            if start < holes[inside][0]:
                rest.append((start, holes[inside][0]))
            start = holes[inside][1]
            inside += 1
        if start < end:
            rest.append((start, end))
    return rest


def clip(intervals: Sequence[Interval], start: int, end: int) -> list[Interval]:
    """Return the parts of the intervals that lie in [start, end)."""
    return [(max(low, start), min(high, end)) for low, high in intervals if low < end and high > start]
