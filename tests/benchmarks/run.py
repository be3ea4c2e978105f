"""Runs the registered benchmarks and writes one table to docs/benchmarks.md: `make bench`.

    python tests/benchmarks/run.py            all of them
    python tests/benchmarks/run.py slots      those named; the table is printed and not written

A benchmark is a module beside this one with a TITLE, a docstring that says what is compared and what the goals are, and
`rows()`. It is registered by its name in BENCHMARKS. The exit code is 1 when a goal is missed.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this file is run as a script

from measure import Row  # noqa: E402 (after the path is set)

BENCHMARKS = ["slots"]
PAGE = ROOT / "docs" / "benchmarks.md"
HEADER = """# Benchmarks

Written by `make bench`; do not edit. Rounds of the compared targets are interleaved and medians shown, so the ratios of
one run mean more than its milliseconds. Ratios are of CPU time.
"""
COLUMNS = "| case | target | CPU ms | wall ms | ratio | goal | met |\n|---|---|---|---|---|---|---|"


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, or all and write the page; return the exit code."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
        return 2
    sections, met = [], True
    for name in names or BENCHMARKS:
        module = importlib.import_module(name)
        rows: list[Row] = module.rows()
        met = met and all(row.is_met is not False for row in rows)
        sections.append(f"## {module.TITLE}\n\n{module.__doc__.strip()}\n\n{table(rows)}\n")
        print(sections[-1])
    if not names:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text("\n".join([HEADER, machine(), *sections]), encoding="utf-8")
    return 0 if met else 1


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return "\n".join([COLUMNS, *(line(row) for row in rows)])


def line(row: Row) -> str:
    """Return one row of the table."""
    met = {True: "yes", False: "**no**", None: ""}[row.is_met]
    cells = [row.case, row.target, f"{row.cpu_ms:.2f}", f"{row.wall_ms:.2f}", f"{row.ratio:.2f}x", row.goal, met]
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Say what the figures were taken on."""
    return f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores.\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
