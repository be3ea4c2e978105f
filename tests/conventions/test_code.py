"""What every module and function promises, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for folder in ("apps", "restartix") for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
)
SERVICES = [path for path in SOURCES if path.parent.name == "services" and path.name != "__init__.py"]
LONGEST_FILE, LONGEST_FUNCTION = 400, 50
#: Functions of services that open no transaction, each with the reason.
NOT_ATOMIC = {
    "facts.on_recorded": "registers a listener at start",
    "facts.new_ulid": "touches no row",
    "announcements.announce": "sends after the commit of whoever calls",
    "announcements.deliver_by": "registers a sender at start",
    "relay.run": "opens one transaction a fact",
    "deliveries.purge": "opens its own across organizations",
    "deliveries.tidy": "opens its own across organizations",
    "facts.on_deliverable": "registers a listener at start",
    "sweeping.sweep": "opens its own across organizations",
    "sweeping.purge": "opens its own across organizations",
}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_label)
def test_every_module_says_what_it_is_in_one_sentence(path: Path) -> None:
    docstring = ast.get_docstring(_tree(path))

    assert docstring, "no docstring"
    assert docstring.splitlines()[0].rstrip().endswith((".", "!", "?")), docstring.splitlines()[0]


@pytest.mark.parametrize("path", SOURCES, ids=_label)
def test_no_module_is_too_long_for_one_reading(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=_label)
def test_no_function_is_longer_than_a_page(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


def _public_functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in _tree(path).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def _writes(function: ast.FunctionDef) -> bool:
    """Tell whether the body calls something that changes rows."""
    verbs = {"save", "create", "update", "delete", "bulk_create", "update_or_create", "get_or_create", "set_password"}
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs
        for node in ast.walk(function)
    )


@pytest.mark.parametrize("path", SERVICES, ids=_label)
def test_services_that_write_are_atomic_and_documented(path: Path) -> None:
    for function in _public_functions(path):
        name = f"{path.stem}.{function.name}"
        assert ast.get_docstring(function), name
        decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
        if _writes(function) and name not in NOT_ATOMIC:
            assert decorators & {"transaction.atomic", "joins_transaction"}, name


@pytest.mark.parametrize("path", SERVICES, ids=_label)
def test_services_take_one_thing_by_position_and_the_rest_by_name(path: Path) -> None:
    for function in _public_functions(path):
        positional = len(function.args.posonlyargs) + len(function.args.args)
        assert positional <= 2, f"{path.stem}.{function.name}"


def test_exemptions_still_apply() -> None:
    known = {f"{path.stem}.{function.name}" for path in SERVICES for function in _public_functions(path)}

    assert set(NOT_ATOMIC) <= known


def test_apps_hold_no_module_without_a_telling_name() -> None:
    forbidden = {"utils", "helpers", "common", "misc", "base"}

    assert not {path.stem for path in SOURCES if "apps" in path.parts} & forbidden
