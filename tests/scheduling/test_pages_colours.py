"""The clinic's colour stays legible whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scheduling.pages.colours import DARK, DEFAULT, LIGHT, SHAPE, TEXT, contrast, palette, parsed

SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


@SCHEMES
@given(colour=st.integers(0, 0xFFFFFF).map("#{:06X}".format))
def test_every_colour_can_be_read(scheme, colour):
    made = palette(colour, scheme)

    assert contrast(parsed(made.on_accent), parsed(made.accent)) >= TEXT
    assert min(contrast(parsed(made.accent), ground) for ground in scheme) >= SHAPE
    for ground in (*scheme, parsed(made.tint)):
        assert contrast(parsed(made.link), ground) >= TEXT


@SCHEMES
@pytest.mark.parametrize("colour", ["#FFFFFF", "#000000", "#FFFF00", "#777777", "#00FF00"])
def test_the_hard_ones_can_be_read(scheme, colour):
    made = palette(colour, scheme)

    assert contrast(parsed(made.on_accent), parsed(made.accent)) >= TEXT
    assert min(contrast(parsed(made.link), ground) for ground in (*scheme, parsed(made.tint))) >= TEXT


def test_a_colour_that_is_legible_stays_as_it_is():
    assert palette("#C2410C", LIGHT).accent == "#C2410C"


@pytest.mark.parametrize("nonsense", [None, "", "red", "#12345", "#12345G", "url(x)"])
def test_what_is_no_colour_gives_the_default(nonsense):
    assert palette(nonsense, LIGHT) == palette(DEFAULT, LIGHT)
