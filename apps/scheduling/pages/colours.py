"""The clinic's own colour on our pages: shifted as little as it takes to be read on them.

Contrast by WCAG 2.2, 1.4.3 and 1.4.11: text 4.5 to 1, the shapes of controls 3 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Colour = tuple[int, int, int]

TEXT, SHAPE = 4.5, 3.0
#: The brand colour of static/restartix/tokens.css.
DEFAULT = "#0B6B6B"
_STEP = 0.04
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
INK: Colour = (17, 17, 17)
#: Surface and ground of static/booking/booking.css, light and dark; text has to be legible on either.
LIGHT: tuple[Colour, Colour] = ((255, 255, 255), (248, 245, 240))
DARK: tuple[Colour, Colour] = ((38, 36, 33), (27, 25, 23))
#: How much of the colour tints the surface behind what is chosen.
_TINT = {LIGHT: 0.09, DARK: 0.16}


@dataclass(frozen=True, slots=True)
class Palette:
    """What a page needs of one colour in one scheme."""

    accent: str
    on_accent: str
    link: str
    tint: str


def palette(text: str | None, scheme: tuple[Colour, Colour]) -> Palette:
    """Return the colours for `#RRGGBB` on the surfaces of `scheme`, LIGHT or DARK; the default's for anything else."""
    own = parsed(known(text))
    away = BLACK if scheme is LIGHT else WHITE
    tint = mixed(scheme[0], own, _TINT[scheme])
    accent = _shifted(own, away, lambda colour: _stands_out(colour, scheme, SHAPE) and _ink_on(colour)[1] >= TEXT)
    link = _shifted(own, away, lambda colour: _stands_out(colour, (*scheme, tint), TEXT))
    return Palette(written(accent), written(_ink_on(accent)[0]), written(link), written(tint))


def _ink_on(colour: Colour) -> tuple[Colour, float]:
    """Return white or near-black, whichever is read better on `colour`, and how well."""
    ink = max((WHITE, INK), key=lambda each: contrast(each, colour))
    return ink, contrast(ink, colour)


def _stands_out(colour: Colour, grounds: tuple[Colour, ...], ratio: float) -> bool:
    return min(contrast(colour, ground) for ground in grounds) >= ratio


def known(text: str | None) -> str:
    """Return `text` if it is written `#RRGGBB`, the default colour otherwise."""
    return text if text and re.fullmatch(r"#[0-9A-Fa-f]{6}", text) else DEFAULT


def _shifted(colour: Colour, away: Colour, is_fit: Callable[[Colour], bool]) -> Colour:
    """Return the colour, moved towards `away` no further than it takes to fit."""
    share, moved = 0.0, colour
    while share < 1 and not is_fit(moved):
        share += _STEP
        moved = mixed(colour, away, min(share, 1.0))
    return moved


def parsed(text: str) -> Colour:
    """Return red, green and blue of `#RRGGBB`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def written(colour: Colour) -> str:
    """Return `#RRGGBB`."""
    return "#{:02X}{:02X}{:02X}".format(*colour)


def mixed(ground: Colour, colour: Colour, share: float) -> Colour:
    """Return `ground` with a share of `colour` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(ground, colour, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
