"""System libraries that no Python package brings: named, or installed where this process may."""

from __future__ import annotations

import ctypes.util
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from restartix.bootstrap import apt_install

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Library:
    """What is missing, what it is for, and the Debian packages that bring it."""

    name: str
    purpose: str
    packages: Sequence[str]

    @property
    def advice(self) -> str:
        """What to type."""
        return f"{self.name} is missing ({self.purpose}). Install it: apt-get install {' '.join(self.packages)}"


PANGO = Library(
    "Pango",
    "PDF files",
    ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core"),
)
CHROMIUM = Library("Chromium", "tests in a real browser", ("chromium",))


def browser() -> str:
    """Return the path of an installed Chromium, or an empty string."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), "")


def missing(*, for_tests: bool = False) -> list[Library]:
    """Return the libraries that are not there."""
    found = []
    if not all(ctypes.util.find_library(name) for name in ("gobject-2.0", "pango-1.0", "pangoft2-1.0", "fontconfig")):
        found.append(PANGO)
    if for_tests and not browser():
        found.append(CHROMIUM)
    return found


def install_missing(*, for_tests: bool = False) -> list[Library]:
    """Install what is missing where this process may, and return what still is."""
    for library in missing(for_tests=for_tests):
        sys.stderr.write(f"{library.name} is missing ({library.purpose})\n")
        apt_install(library.packages)
    return missing(for_tests=for_tests)


def require_for_tests(arguments: Sequence[str]) -> None:
    """Have what the whole suite needs. Exits with code 1, naming the packages, if something cannot be installed.

    Asked for part of the suite only (a path, or `-m "not browser"`), it names what is missing and goes on.
    """
    whole = not any("tests/" in argument or "not browser" in argument for argument in arguments)
    lacking = install_missing(for_tests=True) if whole else missing(for_tests=True)
    for library in lacking:
        sys.stderr.write(library.advice + "\n")
    if lacking and whole:
        sys.stderr.write("Without a browser: make test ARGS='-m \"not browser\"'\n")
        raise SystemExit(1)
