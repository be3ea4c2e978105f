"""Runs the registered benchmarks and writes one table each to docs/benchmarks.md: `make bench`.

    python tests/benchmarks/run.py                  all of them, in about ten minutes
    python tests/benchmarks/run.py --quick          all of them on a small data set, printed and not written
    python tests/benchmarks/run.py slots lists      those named, printed and not written

A benchmark is a module beside this one with a TITLE, a docstring that says what is compared and what the goals are, and
`rows(world)`. It is registered by its name in BENCHMARKS. The exit code is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this file is run as a script

from measure import Row  # noqa: E402 (after the path is set)
from world import Options, World, clear_environment, say  # noqa: E402

BENCHMARKS = ["slots", "timeslots", "booking", "lists", "search", "streams", "reception"]
QUICK = Options(appointments=20_000, rounds=2, seconds=0.7, streams=200)
PAGE = ROOT / "docs" / "benchmarks.md"
HEADER = """# Benchmarks

Written by `make bench`; do not edit. `make bench ARGS="--help"` shows how to run one of them or a quick round. Rounds
of the compared targets are interleaved and medians shown, so the ratios of one run mean more than its milliseconds.
"""
COLUMNS = "| case | target | median | ratio | goal | met |\n|---|---|---|---|---|---|"


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all and write the page; return the exit code."""
    given = _read(arguments)
    options = QUICK if given.quick else Options()
    if given.appointments:
        options = Options(**{**vars_of(options), "appointments": given.appointments})
    clear_environment()
    world, sections, met = World(options), [], True
    try:
        for name in given.names or BENCHMARKS:
            module = importlib.import_module(name)
            rows: list[Row] = module.rows(world)
            say("")
            met = met and all(row.is_met is not False for row in rows)
            sections.append(f"## {module.TITLE}\n\n{(module.__doc__ or '').strip()}\n\n{table(rows)}\n")
            print(sections[-1], flush=True)
    finally:
        world.stop()
    if not given.names and not given.quick:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text("\n".join([HEADER, machine(options), *sections]), encoding="utf-8")
    return 0 if met else 1


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a small data set and short rounds")
    parser.add_argument("--appointments", type=int, metavar="N", help="size of the data set (default: 500000)")
    return parser.parse_args(arguments)


def vars_of(options: Options) -> dict[str, int | float]:
    """Return the options by name."""
    return {name: getattr(options, name) for name in Options.__dataclass_fields__}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join([COLUMNS, *(line(row) for row in rows)])


def line(row: Row) -> str:
    """Return one row of the table."""
    met = {True: "yes", False: "**no**", None: ""}[row.is_met]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    return f"| {' | '.join([row.case, row.target, row.median, ratio, row.goal, met])} |"


def machine(options: Options) -> str:
    """Say when, on what and on how much the figures were taken."""
    load = os.getloadavg()[1]
    return (
        f"{datetime.now(UTC).date()}, CPython {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores (load of the machine {load:.1f}), {options.appointments:,} appointments.\n"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
