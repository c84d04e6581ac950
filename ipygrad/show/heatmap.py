"""One Axes with a Jacobian as a heat map: rows are outputs, columns are inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ipygrad.show.figures import BLUE, GREY, INK, PAPER, VERMILION, signed
from ipygrad.show.sizes import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from ipygrad.engine.core import Array
    from ipygrad.explain.words import Words

MOST_NUMBERED = 8
"""Up to so many rows and columns the numbers stand in the cells."""
ROOMY = 36
"""Cells of so many pt take a digit more."""
CELL_WIDTH, CELL_HEIGHT = 0.56, 0.4
LEAST_WIDTH, LEAST_HEIGHT = 1.2, 0.7
"""Sizes of a cell and of the smallest map, in inches."""
SCHEMATIC = 12
# Negative, zero, positive: told apart by people who see few colours.
DIVERGING = LinearSegmentedColormap.from_list("diverging", [VERMILION, PAPER, BLUE]).with_extremes(
    bad="#dddddd"
)


class Matrix(NamedTuple):
    """What a panel shows.

    Attributes
    ----------
    cells
        Shape (rows, columns); None for a matrix that is too large.
    y_shape, x_shape
        Of the outputs and of the inputs; what the indices beside the cells count.
    y_name, x_name
        What they are called.
    heading
        ``∂y/∂x``.
    structure
        A key of `ipygrad.explain.structure`, or None.
    """

    cells: Array | None
    y_shape: tuple[int, ...]
    x_shape: tuple[int, ...]
    y_name: str
    x_name: str
    heading: str
    structure: str | None


class JacobianPanel:
    """One Axes with a heat map, a colour bar beside it, and numbers in few cells.

    Parameters
    ----------
    axes
        Where to draw; the map fills it.
    size
        Of the letters, in pt.
    shrinks
        Whether a map of few cells may make the axes smaller.
    """

    def __init__(
        self, axes: Axes, words: Words, *, size: float = 10, shrinks: bool = False
    ) -> None:
        self.axes = axes
        self._words = words
        self._size = size
        self._shrinks = shrinks
        self._home = axes.get_position(original=True)
        blank = np.zeros((1, 1))
        self.image = axes.imshow(blank, cmap=DIVERGING, aspect="auto", interpolation="none")
        self.bar = axes.inset_axes((1.03, 0, 0.035, 1))
        self.bar.imshow(
            np.linspace(1, -1, 64)[:, None],
            cmap=DIVERGING,
            aspect="auto",
            interpolation="none",
            extent=(0, 1, -1, 1),
        )
        self.bar.set_xticks([])
        self.bar.yaxis.tick_right()
        self._numbers = [
            axes.text(0, 0, "", ha="center", va="center_baseline", parse_math=False)
            for _ in range(MOST_NUMBERED**2)
        ]
        self.message = axes.text(
            0.5, 0.5, "", transform=axes.transAxes, ha="center", va="center", color=INK
        )
        for each in (axes, self.bar):
            each.spines[:].set_color(GREY)
            each.tick_params(colors=INK, labelsize=0.9 * size, color=GREY, length=2)
        for axis in (axes.xaxis, axes.yaxis):
            axis.label.set(fontsize=size, color=INK, parse_math=False)
        axes.yaxis.label.set(rotation=0, horizontalalignment="left", verticalalignment="bottom")

    def leave_empty(self, reason: str) -> None:
        """Show a few words instead of a map."""
        for number in self._numbers:
            number.set_text("")
        self.image.set_visible(False)
        self.bar.set_visible(False)
        self.message.set_text(reason)
        self.axes.set_axis_off()

    def show(self, matrix: Matrix) -> None:
        """Set the cells, or a sketch of their structure, and name rows and columns."""
        self.leave_empty("")
        rows, columns = math.prod(matrix.y_shape), math.prod(matrix.x_shape)
        self.axes.set_axis_on()
        self.image.set_visible(True)
        if matrix.cells is None:
            rows = columns = SCHEMATIC
        self._fit(rows, columns)
        width = int(self.axes.bbox.width / (0.6 * self._size / 72 * self.axes.figure.dpi))
        self.axes.yaxis.set_label_coords(0, 1 + 0.05 * self._home.height / self._position_height())
        self.axes.yaxis.set_label_text(
            shorten(
                self._words("plot_rows", heading=matrix.heading, output=matrix.y_name),
                max(width, 30),
            )
        )
        self.axes.xaxis.set_label_text(
            shorten(self._words("plot_columns", input=matrix.x_name), max(width, 20))
        )
        if matrix.cells is None:
            self._show_cells(sketch(matrix.structure), 1.4)
            self.axes.set(xticks=[], yticks=[])
            return
        finite = np.abs(matrix.cells[np.isfinite(matrix.cells)])
        largest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
        self._show_cells(matrix.cells, largest)
        self.bar.set_visible(True)
        self.bar.set_yticks([-1, 0, 1], [signed(-largest, 2), "0", signed(largest, 2)])
        _label_indices(self.axes.xaxis, matrix.x_shape, self._places(columns, matrix.x_shape))
        _label_indices(self.axes.yaxis, matrix.y_shape, self._places(rows, None))
        if max(rows, columns) <= MOST_NUMBERED:
            self._show_numbers(matrix.cells, largest)

    def _position_height(self) -> float:
        return float(self.axes.get_position(original=True).height)

    def _fit(self, rows: int, columns: int) -> None:
        """Make a map of few cells smaller, so that they do not become towers."""
        if not self._shrinks:
            return
        width, height = self.axes.figure.canvas.figure.get_size_inches()
        x0, y1 = self._home.x0, self._home.y1
        wide = min(self._home.width, max(columns * CELL_WIDTH, LEAST_WIDTH) / width)
        high = min(self._home.height, max(rows * CELL_HEIGHT, LEAST_HEIGHT) / height)
        bottom = y1 - high - (self._home.height - high) / 3
        self.axes.set_position((x0, bottom, wide, high))

    def _show_cells(self, cells: Array, largest: float) -> None:
        rows, columns = cells.shape
        self.image.set_data(np.ma.masked_invalid(cells))
        self.image.set(extent=(-0.5, columns - 0.5, rows - 0.5, -0.5), clim=(-largest, largest))
        self.axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))

    def _show_numbers(self, cells: Array, largest: float) -> None:
        widest = self.axes.bbox.width / cells.shape[1] / self.axes.figure.dpi * 72
        texts = [signed(cell, 3 if widest > ROOMY else 2) for cell in cells.ravel().tolist()]
        # So that the longest number fits.
        size = min(0.9 * self._size, 1.5 * widest / max(map(len, texts)))
        places = np.ndindex(cells.shape)
        for number, text, (row, column) in zip(self._numbers, texts, places, strict=False):
            dark = abs(cells[row, column]) > 0.6 * largest
            number.set(x=column, y=row, text=text, fontsize=size, color=PAPER if dark else INK)

    def _places(self, count: int, shape: tuple[int, ...] | None) -> int:
        """Return how many cells lie between labels, so that these do not touch."""
        box, dpi = self.axes.bbox, self.axes.figure.dpi
        if shape is None:
            room, needed = box.height / dpi, 1.5 * self._size / 72
        else:
            longest = len(_index_text(tuple(length - 1 for length in shape)))
            room, needed = box.width / dpi, 0.62 * (longest + 1) * self._size / 72
        return max(1, math.ceil(needed * count / max(room, 1e-9)))


def _index_text(index: tuple[int, ...]) -> str:
    return ", ".join(map(str, index))


def _label_indices(axis: Axis, shape: tuple[int, ...], every: int) -> None:
    if not shape:
        axis.set_ticks([])
        return
    places = list(range(0, math.prod(shape), every))
    axis.set_ticks(
        places, [_index_text(tuple(map(int, np.unravel_index(i, shape)))) for i in places]
    )


def sketch(structure: str | None) -> Array:
    """Return a small matrix that has the structure, for one that is too large to draw."""
    n = SCHEMATIC
    rng = np.random.default_rng(3)
    if structure == "zero":
        return np.zeros((n, n))
    if structure in ("ones", "constant"):
        return np.full((n, n), 1.0 if structure == "ones" else 0.5)
    if structure in ("permutation", "selection"):
        chosen = rng.permutation(n) if structure == "permutation" else rng.integers(0, n, n)
        return np.eye(n)[chosen]
    if structure == "blocks":
        return np.kron(np.eye(3), np.ones((n // 3, n // 3)))
    values = rng.uniform(-1, 1, (n, n))
    if structure == "identity":
        return np.eye(n)
    if structure == "diagonal":
        return np.eye(n) * values
    return np.tril(values) if structure == "triangular" else values
