"""The catalogue of breakages fits the program as it is; `make mutants` tries them."""

from __future__ import annotations

import pytest

from restartix.environment import ROOT
from tests.mutants.catalogue import MUTANTS, Mutant


def test_there_are_twenty_and_more() -> None:
    assert len({mutant.breaks for mutant in MUTANTS}) == len(MUTANTS) >= 20


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.breaks)
def test_a_mutant_breaks_one_place_that_a_test_watches(mutant: Mutant) -> None:
    path, _, name = mutant.caught_by.partition("::")

    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert f"def {name}" in (ROOT / path).read_text() if name else (ROOT / path).exists()
