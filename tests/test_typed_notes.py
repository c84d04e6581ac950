"""The notes that this package began with, as their reader types them: no class comes from ipygrad.

Each of their cells that computes something has ``%%grad`` on top, in one notebook, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.test_seed_notes import ALONG_THE_CREATORS, BY_HAND, FORWARD, LINKS, X_GRAD
from tests.test_stages import STAGES

if TYPE_CHECKING:
    from tests.shell import Shell

FROM_Y_TO_B = """\
y.grad = np.array(1.0)
C = y.creator
b = C.input
b.grad = C.backward(y.grad)
"""
FROM_B_TO_A = """\
B = b.creator
a = B.input
a.grad = B.backward(b.grad)
"""
FROM_A_TO_X = """\
A = a.creator
x = A.input
x.grad = A.backward(a.grad)
print(x.grad)
"""
BY_ITSELF = FORWARD + "y.grad = np.array(1.0)\ny.backward()\nprint(x.grad)\n"


def typed(stage: int) -> str:
    return (STAGES / f"stage{stage:02}.py").read_text()


def test_every_cell_in_order(shell: Shell) -> None:
    shell.run("%reset -f")
    cells = [
        (typed(6), None),
        (FORWARD, 3),
        (BY_HAND, 3),
        (typed(7), None),
        (FORWARD, 3),
        (LINKS, 3),
        (FROM_Y_TO_B, 1),
        (FROM_B_TO_A, 2),
        (FROM_A_TO_X, 3),
        (BY_ITSELF, 3),
        (FORWARD + ALONG_THE_CREATORS, 3),
    ]
    for cell, steps in cells:
        ran = shell.run(cell if steps is None else "%%grad -o bp\n" + cell)
        assert ran.error is None, cell
        if steps is None:
            continue
        assert "Backward pass of y\n" in ran.text, cell
        right = [2.568050833375483, X_GRAD, X_GRAD]
        assert [step.after[0] for step in shell["bp"]] == right[:steps], cell
        assert [step.notes for step in shell["bp"]] == [()] * steps, cell
        if "print" in cell:
            assert ran.text.startswith(f"{X_GRAD}\n")
            assert shell["x"].grad == X_GRAD
