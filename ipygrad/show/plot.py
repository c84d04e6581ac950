"""Pictures of local derivatives: curve and tangent with the derivative below, or a Jacobian.

The artists of a panel are made once and can be set to one local derivative after another; see
`StepPainter`.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from ipygrad.explain.words import Words
from ipygrad.show.curve import CurvePanel
from ipygrad.show.figures import INK, PAPER, has_glyphs, own_style, svg_of
from ipygrad.show.heatmap import JacobianPanel
from ipygrad.show.panels import Panel, new_panel, notes_on, show_derivative, show_local
from ipygrad.show.sizes import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ipygrad.explain.local import LocalDerivative

# Sizes in inches: of a column, and of the parts of a column.
WIDTH_ALONE, WIDTH_BESIDE_OTHERS, HEIGHT = 4.2, 3.3, 3.7
LEFT, RIGHT, TOP, BOTTOM, BETWEEN, LOWER = 0.6, 0.14, 0.34, 0.74, 0.4, 0.8
BAR_ROOM = 0.84
"""What a heat map leaves free on its right for the colour bar and its numbers."""
NOTE_BOTTOM = 0.08
NOTE_SIZE, FORMULA_SIZE = 9, 11

Kind = Literal["curve", "jacobian"]


class _Column:
    """What is drawn for one input: one panel or two, the formula, and a line of notes."""

    def __init__(self, figure: Figure, column: int, columns: int, kind: Kind, words: Words) -> None:
        height = self._height = figure.get_figheight()
        self._words = words
        self._lower: CurvePanel | None = None
        if kind == "jacobian":
            axes = _add_axes(figure, column, columns, BOTTOM, height - BOTTOM - TOP, right=BAR_ROOM)
            self._upper: Panel = JacobianPanel(axes, words, shrinks=True)
        else:
            lower = _add_axes(figure, column, columns, BOTTOM, LOWER)
            bottom = BOTTOM + LOWER + BETWEEN
            upper = _add_axes(figure, column, columns, bottom, height - bottom - TOP)
            upper.sharex(lower)
            upper.tick_params(labelbottom=False)
            upper.xaxis.label.set_visible(False)
            self._upper = CurvePanel(upper, words, tangent=True)
            self._lower = CurvePanel(lower, words, tangent=False)
        width = figure.get_figwidth() / columns
        left = (column * width + NOTE_BOTTOM) / figure.get_figwidth()
        self._columns = int((width - 2 * NOTE_BOTTOM) * 72 / (0.56 * NOTE_SIZE))
        self._room = (width - LEFT - RIGHT) * 72
        self._note = figure.text(
            left,
            0.38 / height,
            "",
            fontsize=NOTE_SIZE,
            color=INK,
            verticalalignment="top",
            parse_math=False,
        )
        self._formula = figure.text(
            ((column + 1) * width - RIGHT) / figure.get_figwidth(),
            (BOTTOM + LOWER + 0.1 if self._lower else NOTE_BOTTOM) / height,
            "",
            fontsize=FORMULA_SIZE,
            color=INK,
            horizontalalignment="right",
        )

    def show(
        self, local: LocalDerivative | None, measured: float | None, formula: str | None
    ) -> None:
        """Set everything to the local derivative of one input."""
        show_local(self._upper, local, self._words, measured)
        taken = 0
        if self._lower is not None:
            show_derivative(self._lower, local, self._words)
            taken = len(self._lower.axes.get_ylabel())
        notes = notes_on(local, self._words)
        lines = ["; ".join(notes)] if len("; ".join(notes)) <= self._columns else notes
        self._note.set_text("\n".join(shorten(line, self._columns) for line in lines))
        if isinstance(self._upper, JacobianPanel):
            below = self._upper.axes.get_position(original=True).y0
            self._note.set_y(below - (BOTTOM - 0.3) / self._height)
        room = self._room - taken * 0.6 * 10
        fits = formula is not None and _width(formula) <= room
        self._formula.set_text(formula if fits and formula else "")


@lru_cache(maxsize=256)
def _width(formula: str) -> float:
    """Return the width of a formula in pt; inf when it is none, or the font lacks a letter."""
    if not has_glyphs(formula):
        return math.inf
    try:
        parsed = MathTextParser("path").parse(formula, 72, FontProperties(size=FORMULA_SIZE))
    except ValueError:
        return math.inf
    return float(parsed.width)


class StepPanels:
    """The panels of one step on a figure: a column for each input."""

    def __init__(self, figure: Figure, kinds: Sequence[Kind], words: Words) -> None:
        self._columns = [
            _Column(figure, column, len(kinds), kind, words) for column, kind in enumerate(kinds)
        ]

    def show(
        self,
        locals_: Sequence[LocalDerivative | None],
        numeric: Sequence[float | None] | None,
        formulas: Sequence[str | None] | None,
    ) -> None:
        """Set the columns to the local derivatives of one step."""
        none = (None,) * len(locals_)
        for column, local, measured, formula in zip(
            self._columns, locals_, numeric or none, formulas or none, strict=True
        ):
            column.show(local, measured, formula)


def _kinds(locals_: Sequence[LocalDerivative | None]) -> tuple[Kind, ...]:
    return tuple("jacobian" if local and local.kind == "jacobian" else "curve" for local in locals_)


def _add_axes(
    figure: Figure, column: int, columns: int, bottom: float, height: float, right: float = RIGHT
) -> Axes:
    """Add Axes to a column of a figure; bottom, height and free space on the right in inches."""
    whole_width, whole_height = figure.get_size_inches()
    width = whole_width / columns
    return figure.add_axes(
        (
            (column * width + LEFT) / whole_width,
            bottom / whole_height,
            (width - LEFT - right) / whole_width,
            height / whole_height,
        )
    )


def _new_figure(columns: int, height: float) -> Figure:
    width = WIDTH_ALONE if columns == 1 else columns * WIDTH_BESIDE_OTHERS
    return Figure(figsize=(width, height), facecolor=PAPER)


def plot_local_derivative(
    local: LocalDerivative,
    *,
    ax: Axes | None = None,
    numeric: float | None = None,
    words: Words | None = None,
) -> Axes:
    """Draw a function's curve near the recorded input, with the tangent, or its Jacobian.

    Parameters
    ----------
    local
        What to draw.
    ax
        Where to draw; None for a new figure.
    numeric
        A slope that was measured, for a second tangent in another colour; not for a Jacobian.
    words
        The language; None for English.

    Returns
    -------
    Axes
        `ax`, or the new figure's only axes.
    """
    words = words or Words()
    if ax is not None:
        show_local(new_panel(ax, local, words), local, words, numeric)
        return ax
    height = HEIGHT - LOWER - BETWEEN
    right = BAR_ROOM if local.kind == "jacobian" else RIGHT
    with own_style():
        axes = _add_axes(_new_figure(1, height), 0, 1, BOTTOM, height - BOTTOM - TOP, right)
        show_local(new_panel(axes, local, words), local, words, numeric)
    return axes


def draw_step(
    locals_: Sequence[LocalDerivative | None],
    *,
    numeric: Sequence[float | None] | None = None,
    formulas: Sequence[str | None] | None = None,
    figure: Figure | None = None,
    words: Words | None = None,
) -> Figure:
    """Draw one step: for each input the curve with its tangent and the derivative's curve below.

    Parameters
    ----------
    locals_
        One for each input of the function, at least one; None for an input without a picture.
    numeric
        For each input a slope that was measured, drawn as a second tangent; None for none.
    formulas
        For each input the local derivative in mathtext, as ``"$2 b$"``; left out where it is
        longer than the picture is wide.
    figure
        Where to draw, at least 3 inches high; None for a new figure.
    words
        The language; None for English.
    """
    with own_style():
        figure = figure or _new_figure(len(locals_), HEIGHT)
        StepPanels(figure, _kinds(locals_), words or Words()).show(locals_, numeric, formulas)
    return figure


class StepPainter:
    """Makes the SVG of one step after another, on one figure for each arrangement of panels.

    Making the artists would take longer than drawing them; the benchmark of the pictures tells.
    """

    def __init__(self, words: Words | None = None) -> None:
        self._words = words or Words()
        self._reused: dict[tuple[Kind, ...], tuple[Figure, StepPanels]] = {}

    def svg(
        self,
        locals_: Sequence[LocalDerivative | None],
        numeric: Sequence[float | None] | None = None,
        formulas: Sequence[str | None] | None = None,
    ) -> str:
        """Return what `svg_of` makes of `draw_step` with the same arguments, to the last byte."""
        kinds = _kinds(locals_)
        with own_style():
            if kinds not in self._reused:
                figure = _new_figure(len(kinds), HEIGHT)
                self._reused[kinds] = figure, StepPanels(figure, kinds, self._words)
            figure, panels = self._reused[kinds]
            panels.show(locals_, numeric, formulas)
        return svg_of(figure)


class StepPicture:
    """The plot of one step: it shows itself in a notebook.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes
    """

    def __init__(self, figure: Figure, axes: Sequence[Axes]) -> None:
        self.figure = figure
        self.axes = list(axes)

    def __repr__(self) -> str:
        return f"StepPicture({', '.join(axes.get_ylabel() for axes in self.axes)})"

    @np.errstate(all="ignore")
    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        with own_style():
            self.figure.savefig(written, format="png", dpi=110)
        return written.getvalue()


def picture_of_step(
    locals_: Sequence[LocalDerivative],
    *,
    ax: Axes | None = None,
    numeric: Sequence[float | None] | None = None,
    formulas: Sequence[str | None] | None = None,
    words: Words | None = None,
) -> StepPicture:
    """Draw one step on a figure of its own (see `draw_step`), or one input's part into `ax`.

    Raises
    ------
    ValueError
        When there are several inputs but only one `ax`.
    """
    if ax is None:
        figure = draw_step(locals_, numeric=numeric, formulas=formulas, words=words)
        return StepPicture(figure, figure.axes)
    if len(locals_) > 1:
        raise ValueError(
            f"{locals_[0].label} has {len(locals_)} inputs and needs a plot for each: leave ax "
            "out, or draw one with plot_local_derivative(step.local_derivatives[0], ax=ax)"
        )
    measured = numeric[0] if numeric else None
    plot_local_derivative(locals_[0], ax=ax, numeric=measured, words=words)
    return StepPicture(ax.figure.canvas.figure, [ax])
