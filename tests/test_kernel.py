"""What a kernel holds for steppers when cells are run again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel import Kernel, kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CELL = "%%grad -o bp\ny = square(Variable(0.5))"

# How many objects of the package's own classes there are.
OWN = """
import gc
gc.collect()
print(sum(str(type(thing).__module__).startswith("ipygrad") for thing in gc.get_objects()))
"""

# The code of a cell, by what it calls.
WATCH = """
import gc, sys, weakref
codes = []
def watched(value):
    codes.append(weakref.ref(sys._getframe(1).f_code))
    return value
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Kernel]:
    with kernel(tmp_path) as started:
        yield started


def runs(running: Kernel, times: int, cell: str = CELL) -> dict[str, int]:
    for _ in range(times):
        running.run(cell, "a")
    counts = running.counts()
    del counts["bytes"]
    return counts


def test_a_cell_that_runs_again_leaves_one_model(running: Kernel) -> None:
    first = runs(running, 3)
    assert first["StepperLink"] == 1
    assert first["comms"] == 2  # its own and its layout's
    assert runs(running, 30) == first


@pytest.mark.parametrize(
    "cell",
    [
        "%%grad\nsquare(Variable(0.5))",
        "%%grad\nsquare(Variable(0.5)), square(Variable(1.5))",
        *("%grad y", "%grad y --as widget", "bp.widget"),
    ],
)
def test_so_do_other_ways_to_show_a_pass(running: Kernel, cell: str) -> None:
    running.run(CELL, "b")
    first = runs(running, 3, cell)
    assert runs(running, 10, cell) == first


def test_the_package_keeps_nothing_of_a_run(running: Kernel) -> None:
    def after(times: int) -> int:
        for _ in range(times):
            running.run(CELL, "a")
        return int(running.run(OWN, "own"))

    first = after(3)
    assert [after(3), after(6)] == [first, first]


def test_the_code_of_earlier_runs_is_gone(running: Kernel) -> None:
    running.run(WATCH, "watch")
    for _ in range(5):
        running.run("%%grad\ny = square(watched(Variable(0.5)))", "a")
    alive = running.run("gc.collect(); print(sum(code() is not None for code in codes))", "b")
    assert int(alive) <= 2  # the one that is described, and the latest
