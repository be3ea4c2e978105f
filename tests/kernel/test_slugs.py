"""Slugs of names: contract/profiles.md 1.7."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restartix.kernel import slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("First consultation", "first-consultation"),
        ("Îngrijire și ședință țintită", "ingrijire-si-sedinta-tintita"),
        ("Şedinţă cu sedilă", "sedinta-cu-sedila"),
        ("Întindere ischiogambieri", "intindere-ischiogambieri"),
        ("  Dr. Ștefan  Pop -- (Cluj) ", "dr-stefan-pop-cluj"),
        ("Straße Łódź Ærø", "strasse-lodz-aero"),
        ("İstanbul", "istanbul"),
        ("理学療法", "specialist"),
        ("A", "specialist-a"),
        ("", "specialist"),
    ],
)
def test_a_name_becomes_a_slug(name, slug):
    assert slugs.slugify(name, fallback="specialist") == slug


@given(st.text(max_size=300))
def test_every_name_has_a_slug_that_the_contract_accepts(name):
    slug = slugs.slugify(name, fallback="specialist")

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert 2 <= len(slug) <= 80
    assert slugs.slugify(slug, fallback="x") == slug


def test_a_taken_slug_gets_the_first_free_number():
    assert slugs.free_slug("pop", set()) == "pop"
    assert slugs.free_slug("pop", {"pop"}) == "pop-2"
    assert slugs.free_slug("pop", {"pop", "pop-2", "pop-4"}) == "pop-3"


def test_a_long_slug_makes_room_for_its_number():
    wanted = "a" * 78 + "-b"

    assert slugs.free_slug(wanted, {wanted}) == "a" * 78 + "-2"
    assert slugs.free_slug("a" * 80, {"a" * 80} | {f"{'a' * 78}-{n}" for n in range(2, 10)}) == "a" * 77 + "-10"
