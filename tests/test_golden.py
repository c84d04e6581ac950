"""A few pictures, compared with how they looked when somebody last looked at them.

Each is kept as text in ``tests/golden``: its grey levels, 0 for white to 9 for black, in squares of
4 by 4 pixels at 50 dots per inch. Letters are drawn in matplotlib's own DejaVu Sans. The version of
matplotlib that drew it stands in the first line: with that one next to nothing may differ, others
place lines and letters a fraction of a pixel apart. After a change that is meant, look at the
pictures and write them anew with ``python -m tests.test_golden``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ipygrad import Variable, functions
from ipygrad.explain.local import LocalDerivative, local_derivative_of
from ipygrad.show.figures import own_style
from ipygrad.show.plot import draw_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "golden"
HEADING = f"matplotlib {mpl.__version__}"
DPI, SQUARE, DARKEST = 50, 4, 9
MOST_DIFFERENT = 3
"""Squares, where matplotlib is the same."""
MOST_FAR = 0.01
"""Share of the squares that may be off by more than one level with another matplotlib."""


def local(y: Variable) -> LocalDerivative:
    assert y.creator is not None
    return local_derivative_of(y.creator, 0, x_name="x", y_name="y", label=y.creator.label)


PICTURES: dict[str, Callable[[], Figure]] = {
    "curve": lambda: draw_step(
        [local(functions.exp(Variable(0.25)))], formulas=[r"$\frac{dy}{dx} = e^x$"]
    ),
    "measured": lambda: draw_step([local(functions.square(Variable(0.5)))], numeric=[-1.0]),
    "points": lambda: draw_step([local(functions.sigmoid(Variable(np.linspace(-6, 3, 7))))]),
    "jacobian": lambda: draw_step([local(functions.softmax(Variable([1.0, 2.0, 0.5])))]),
}


def levels_of(figure: Figure) -> Any:
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    with own_style():
        canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    grey = pixels[..., :3].mean(axis=2)
    rows, columns = (length // SQUARE for length in grey.shape)
    squares = grey[: rows * SQUARE, : columns * SQUARE].reshape(rows, SQUARE, columns, SQUARE)
    return np.rint(DARKEST * (1 - squares.mean(axis=(1, 3)) / 255)).astype(int)


@pytest.mark.parametrize("name", PICTURES)
def test_it_looks_as_it_did(name: str) -> None:
    found = levels_of(PICTURES[name]())
    version, *lines = (FOLDER / f"{name}.txt").read_text("ascii").splitlines()
    expected = np.array([[int(level) for level in line] for line in lines])
    assert found.shape == expected.shape
    off = np.abs(found - expected)
    assert np.mean(off > 1) <= MOST_FAR
    if version == HEADING:
        assert np.count_nonzero(off) <= MOST_DIFFERENT


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        lines = ["".join(map(str, row)) for row in levels_of(draw()).tolist()]
        (FOLDER / f"{name}.txt").write_text("\n".join([HEADING, *lines, ""]), "ascii")


if __name__ == "__main__":
    main()
