"""From a `LocalDerivative` to what a panel shows: names on the axes, curve or cells, notes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.explain.jacobian import MOST_CELLS
from ipygrad.explain.sampling import no_samples
from ipygrad.show.curve import CurvePanel, Drawing
from ipygrad.show.figures import drawable, signed
from ipygrad.show.heatmap import JacobianPanel, Matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ipygrad.explain.local import LocalDerivative
    from ipygrad.explain.words import Words

MOST_MARKS_NAMED = 3

Panel = CurvePanel | JacobianPanel


def new_panel(axes: Axes, local: LocalDerivative, words: Words, size: float = 10) -> Panel:
    """Return the panel that fits a local derivative, on Axes of any size."""
    if local.kind == "jacobian":
        return JacobianPanel(axes, words, size=size)
    return CurvePanel(axes, words, tangent=True, size=size)


def _names(local: LocalDerivative) -> tuple[str, str, str]:
    """Give the labels of the x axis, of the curve and of the derivative."""
    x = drawable(local.x_name, "input")
    y = drawable(local.y_name, "output")
    arguments = ["…"] * local.arity
    arguments[local.argnum] = x
    call = f"{drawable(local.label, 'function')}({', '.join(arguments)})"
    d = "d" if local.arity == 1 else "∂"
    dy, dx = (
        f"{d}{name}" if name == given and name.isidentifier() else f"{d}({name})"
        for name, given in ((y, local.y_name), (x, local.x_name))
    )
    # The name of an unnamed output is the call itself, spelled out.
    return x, f"{y} = {call}" if local.y_name.isidentifier() else call, f"{dy}/{dx}"


def show_local(
    panel: Panel, local: LocalDerivative | None, words: Words, measured: float | None = None
) -> None:
    """Set a panel to a function's curve or Jacobian; None for an input that has none."""
    if local is None:
        panel.leave_empty(words("plot_no_curve"))
    elif isinstance(panel, JacobianPanel):
        _show_jacobian(panel, local, words)
    else:
        x_label, curve_label, _ = _names(local)
        panel.name_axes(x_label, curve_label)
        panel.show(_drawing(local, measured))


def show_derivative(panel: CurvePanel, local: LocalDerivative | None, words: Words) -> None:
    """Set a panel to the derivative's own curve."""
    if local is None:
        panel.leave_empty(words("plot_no_curve"))
        return
    x_label, _, derivative_label = _names(local)
    panel.name_axes(x_label, derivative_label)
    drawing = _drawing(local, None)
    slopes = np.atleast_1d(np.asarray(local.slope, float)).ravel()
    panel.show(
        drawing._replace(
            f=(local.samples or no_samples()).slope,
            point=(drawing.point[0], drawing.slope),
            dots=(drawing.dots[0], slopes) if local.kind == "points" else drawing.dots,
            marks=(),
        )
    )


def _drawing(local: LocalDerivative, measured: float | None) -> Drawing:
    """Turn a curve, or the points on one, into what a panel takes."""
    samples = local.samples or no_samples()
    y, slope = np.asarray(local.y, float), np.asarray(local.slope, float)
    x = np.broadcast_to(np.asarray(local.x, float), y.shape)
    at = local.chosen
    drawing = Drawing(
        samples.u,
        samples.f,
        (float(x[at]), float(y[at])),
        float(slope[at]),
        math.nan if measured is None else measured,
        marks=local.marks,
    )
    if local.kind == "curve":
        return drawing
    index = ", ".join(map(str, at))
    return drawing._replace(dots=(x.ravel(), y.ravel()), element=index)


def _show_jacobian(panel: JacobianPanel, local: LocalDerivative, words: Words) -> None:
    y_shape, x_shape = np.shape(local.y), np.shape(local.x)
    rows, columns = math.prod(y_shape), math.prod(x_shape)
    if rows * columns == 0 or (local.jacobian is None and rows * columns <= MOST_CELLS):
        panel.leave_empty(words("plot_no_elements" if rows * columns == 0 else "plot_no_jacobian"))
        return
    x_label, _, heading = _names(local)
    panel.show(
        Matrix(
            None if local.jacobian is None else local.jacobian.reshape(rows, columns),
            y_shape,
            x_shape,
            drawable(local.y_name, "output"),
            x_label,
            heading,
            local.structure,
        )
    )


def notes_on(local: LocalDerivative | None, words: Words) -> list[str]:
    """Say what is special, in two lines at most: marks on the curve, or what the Jacobian is."""
    if local is None:
        return []
    if local.kind == "jacobian":
        rows, columns = (math.prod(np.shape(v)) for v in (local.y, local.x))
        structure = words(f"plot_structure_{local.structure}") if local.structure else ""
        return [words("plot_jacobian", rows=rows, columns=columns) + structure]
    named = [m for m in local.marks if m.kind != "flat"]
    nearest = sorted(named, key=lambda mark: abs(mark.where - _x_of(local)))[:MOST_MARKS_NAMED]
    places = [
        words(f"plot_{mark.kind}", where=signed(round(mark.where, 12)))
        for mark in sorted(nearest, key=lambda mark: mark.where)
    ]
    if len(named) > MOST_MARKS_NAMED:
        places.append("…")
    notes = [", ".join(places)] if places else []
    return notes + [
        words("plot_flat", ratio=signed(m.ratio, 1)) for m in local.marks if m.kind == "flat"
    ]


def _x_of(local: LocalDerivative) -> float:
    return float(np.broadcast_to(local.x, np.shape(local.y))[local.chosen])
