"""Breaks the program in every way of the catalogue, one at a time; the named test has to notice: `make mutants`.

    python tests/mutants/run.py               all of them, in about ten minutes
    python tests/mutants/run.py quota policy  those whose description holds one of the words

Works on a copy. The exit code is 1 when a mutant lives, when a test fails although nothing is broken, or when a run
ends in another way than by a failing test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this file is run as a script

from tests.mutants.catalogue import MUTANTS, Mutant  # noqa: E402 (after the path is set)

#: pytest's exit code when tests ran and at least one failed; others mean that it could not run them.
FAILED = 1
LEFT_OUT = (".git", ".venv", ".data", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def main(words: Sequence[str]) -> int:
    """Run the chosen mutants and return the exit code."""
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.breaks for word in words)]
    with tempfile.TemporaryDirectory(prefix="restartix-mutants-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        Path(folder).chmod(0o755)
        if not _are_green(sorted({mutant.caught_by for mutant in chosen}), copy):
            return 1
        alive = [mutant for mutant in chosen if not _is_caught(mutant, copy)]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} breakages are noticed")
    return 1 if alive else 0


def _are_green(tests: Sequence[str], copy: Path) -> bool:
    """Tell whether the tests pass as long as nothing is broken."""
    code, told = _pytest(copy, *tests)
    if code:
        print(f"the tests have to pass before anything is broken:\n{told}")
    return code == 0


def _is_caught(mutant: Mutant, copy: Path) -> bool:
    """Break the copy, run the test, mend the copy; tell whether the test failed."""
    file = copy / mutant.file
    whole = file.read_text()
    began = time.monotonic()
    file.write_text(whole.replace(mutant.old, mutant.new))
    try:
        code, told = _pytest(copy, "-x", mutant.caught_by)
    finally:
        file.write_text(whole)
    verdict = "noticed" if code == FAILED else "ALIVE" if code == 0 else "BROKEN OTHERWISE"
    print(f"{verdict:8} {time.monotonic() - began:5.0f} s  {mutant.breaks} ({mutant.caught_by})", flush=True)
    if code not in (0, FAILED):
        print(told)
    return code == FAILED


def _pytest(copy: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout[-3000:] + done.stderr[-1000:]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
