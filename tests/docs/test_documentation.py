"""The documentation: its links lead somewhere, its commands exist, and every decision is on the list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import get_commands

from restartix.environment import ROOT

#: Written text of the project; the specification quotes addresses that are examples.
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

_FENCE = re.compile(r"^(```+|~~~+)(.*?)\n(.*?)^\1\s*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(!?)\[[^\]]*\]\(\s*<?([^)>\s]+)>?[^)]*\)")
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_MANAGE = re.compile(r"manage\.py\s+([a-z_]+)")
_MODULE = re.compile(r"(?:python3?|bin/python) -m (restartix[\w.]*)")
_MAKE = re.compile(r"\bmake ([a-z]+)\b")
_DOCUMENT = re.compile(r"docs/[\w./-]+\.md")


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _prose(path: Path) -> str:
    """Return the page without its code."""
    return _CODE.sub("", _FENCE.sub("", path.read_text()))


@cache
def _anchors(path: Path) -> frozenset[str]:
    """Return the anchors of the page's headings, as code hosts make them."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_FENCE.sub("", path.read_text())):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        anchors.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return frozenset(anchors)


def _links(path: Path) -> Iterator[tuple[bool, str]]:
    """Yield whether it is an image, and the address, of each link."""
    for mark, address in _LINK.findall(_prose(path)):
        yield bool(mark), address


def _is_outside(address: str) -> bool:
    return bool(re.match(r"[a-z][a-z0-9+.-]*:", address))


def _blocks(path: Path, *languages: str) -> Iterator[str]:
    for _, language, text in _FENCE.findall(path.read_text()):
        if language.strip() in languages:
            yield text


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(path):
    for _, address in _links(path):
        if _is_outside(address):
            continue
        name, _, anchor = address.partition("#")
        target = (path.parent / unquote(name)).resolve() if name else path

        assert target.exists(), f"{address} leads nowhere"
        assert not anchor or anchor in _anchors(target), f"{address}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_image_is_ours_and_has_a_description(path):
    for is_image, address in _links(path):
        assert not (is_image and _is_outside(address)), f"{address} would be fetched from elsewhere"

    assert "![](" not in _prose(path)
    assert "<img" not in _prose(path)


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_every_command_in_a_shell_block_exists(path):
    for block in _blocks(path, "sh", "console"):
        unknown = set(_MANAGE.findall(block)) - set(get_commands()) - {"test", "up"}
        assert not unknown, f"no such management command: {unknown}"
        for module in _MODULE.findall(block):
            file = ROOT / module.replace(".", "/")
            assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), f"no such module: {module}"
        assert set(_MAKE.findall(block)) <= _targets()


def test_every_make_target_that_the_readme_names_exists():
    named = set(_MAKE.findall("\n".join(re.findall(r"`([^`]*)`", (ROOT / "README.md").read_text()))))

    assert {"run", "test"} <= named <= _targets()


def test_every_decision_record_is_on_the_list_once():
    listed = [address for _, address in _links(ROOT / "docs" / "adr" / "README.md") if re.match(r"\d{4}-", address)]

    assert listed == [path.name for path in RECORDS]


def test_decision_records_are_numbered_without_gaps_and_say_so_in_their_titles():
    numbers = [int(path.name[:4]) for path in RECORDS]

    assert numbers == list(range(1, len(numbers) + 1))
    for path in RECORDS:
        assert path.read_text().startswith(f"# {path.name[:4]}: "), path.name


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        for _, address in _links(path):
            target = (path.parent / address.partition("#")[0]).resolve()
            if not _is_outside(address) and target.suffix == ".md" and target.exists() and target not in reached:
                waiting.append(target)

    assert set(PAGES) <= reached, f"no link leads to {sorted(map(_named, set(PAGES) - reached))}"


def test_every_page_that_the_code_names_exists():
    sources = [
        *ROOT.glob("apps/**/*.py"),
        *ROOT.glob("restartix/**/*.py"),
        ROOT / "docker-compose.yml",
        ROOT / "Makefile",
    ]
    named = {name for path in sources for name in _DOCUMENT.findall(path.read_text())}

    assert {name for name in named if not (ROOT / name).exists()} == set()
