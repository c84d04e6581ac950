from __future__ import annotations

import gc
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font

from ipygrad import Variable, backward_pass, exp, sqrt
from ipygrad.explain.local import LocalDerivative
from ipygrad.explain.marks import Mark
from ipygrad.explain.sampling import Samples
from ipygrad.show.figures import GREEN, VERMILION, svg_of
from ipygrad.show.plot import StepPainter, draw_step, plot_local_derivative

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


def local(
    f: Callable[[np.ndarray], np.ndarray],
    slope: Callable[[np.ndarray], np.ndarray],
    x: float,
    *,
    half_width: float = 1.5,
    x_name: str = "b",
    y_name: str = "y",
    label: str = "square",
    argnum: int = 0,
    arity: int = 1,
) -> LocalDerivative:
    with np.errstate(all="ignore"):
        u = x + half_width * np.linspace(-1, 1, 121)
        around = Samples(u, f(u), slope(u))
        y, dy = float(f(np.array(x))), float(slope(np.array(x)))
    return LocalDerivative("curve", argnum, label, x_name, y_name, x, y, dy, around, arity)


def square(x: float = 1.284, **names: str) -> LocalDerivative:
    return local(np.square, lambda u: 2 * u, x, **names)  # type: ignore[arg-type]


def samples(local: LocalDerivative) -> Samples:
    assert local.samples is not None
    return local.samples


def nowhere() -> LocalDerivative:
    none = np.empty(0)
    empty = Samples(none, none, none)
    return LocalDerivative("curve", 0, "square", "b", "y", math.nan, math.nan, math.nan, empty)


def lines(axes: Axes) -> tuple[Line2D, Line2D, Line2D]:
    """Curve, tangent and point."""
    return artist(axes, "curve"), artist(axes, "tangent"), artist(axes, "point")


def artist(axes: Axes, gid: str) -> Line2D:
    (line,) = (line for line in axes.lines if line.get_gid() == gid)
    return line


def data(line: Line2D) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def steepness(axes: Axes) -> float:
    (left, right), (low, high) = data(lines(axes)[1])
    return float((high - low) / (right - left))


def test_curve_point_and_tangent() -> None:
    step = square()
    axes = plot_local_derivative(step)
    curve, tangent, point = lines(axes)
    np.testing.assert_array_equal(data(curve), (samples(step).u, samples(step).f))
    np.testing.assert_array_equal(data(point), ([step.x], [step.y]))
    (left, right), (low, high) = data(tangent)
    assert steepness(axes) == pytest.approx(step.slope)
    assert ((left + right) / 2, (low + high) / 2) == pytest.approx((step.x, step.y))
    assert tangent.get_linestyle() == "--"
    assert (tangent.get_color(), point.get_color()) == (VERMILION, VERMILION)
    assert "slope 2.568" in [text.get_text() for text in axes.texts]


def test_names_on_the_axes() -> None:
    upper, lower = sorted(draw_step([square()]).axes, key=lambda axes: -axes.get_position().y0)
    assert (upper.get_ylabel(), lower.get_xlabel(), lower.get_ylabel()) == (
        "y = square(b)",
        "b",
        "dy/db",
    )


def test_derivative_below_on_the_same_x_axis() -> None:
    step = square()
    upper, lower = sorted(draw_step([step]).axes, key=lambda axes: -axes.get_position().y0)
    curve, tangent, point = lines(lower)
    np.testing.assert_array_equal(data(curve), (samples(step).u, samples(step).slope))
    np.testing.assert_array_equal(data(point), ([step.x], [step.slope]))
    assert data(tangent)[0].size == 0
    assert upper.get_xlim() == lower.get_xlim()


def test_a_column_for_each_input() -> None:
    a = local(lambda u: 5 * u, lambda u: 5 + 0 * u, 2.0, x_name="a", label="mul", arity=2)
    b = local(lambda u: 2 * u, lambda u: 2 + 0 * u, 5.0, x_name="b", label="mul", argnum=1, arity=2)
    figure = draw_step([a, b])
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert sorted(labels) == ["y = mul(a, …)", "y = mul(…, b)", "∂y/∂a", "∂y/∂b"]
    assert "no curve" in [text.get_text() for text in draw_step([a, None]).axes[2].texts]


@pytest.mark.parametrize("slope", [0.0, 1e-9, 1.0, -1e9, 1e300, math.inf, -math.inf])
def test_tangent_is_as_long_for_every_slope(slope: float) -> None:
    step = local(np.square, lambda u: slope + 0 * u, 1.0)
    axes = plot_local_derivative(step)
    ends = axes.transData.transform(np.transpose(data(lines(axes)[1])))
    across, up = np.abs(ends[1] - ends[0]) / axes.bbox.size
    assert math.hypot(across, up) == pytest.approx(0.62, abs=0.01)


@pytest.mark.parametrize(
    ("f", "x", "half_width"),
    [
        (np.square, 0.0, 1.5),
        (np.tan, 1.5, 1.5),
        (np.exp, 3.0, 30.0),
        (np.exp, 700.0, 100.0),
        (lambda u: 3 + 0 * u, 1.0, 1.0),
        (lambda u: 1e308 * u, 1.0, 3.0),
        (lambda u: 1e-12 * u, 1.0, 3.0),
        (lambda u: np.where(u == 0.25, 0, np.nan), 0.25, 3.0),
    ],
)
def test_point_is_well_inside(
    f: Callable[[np.ndarray], np.ndarray], x: float, half_width: float
) -> None:
    step = local(f, np.ones_like, x, half_width=half_width)
    axes = plot_local_derivative(step)
    low, high = axes.get_ylim()
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert 0.05 < (step.y - low) / (high - low) < 0.95
    axes.figure.canvas.draw()


def test_a_pole_does_not_flatten_the_curve() -> None:
    axes = plot_local_derivative(local(np.tan, lambda u: 1 / np.cos(u) ** 2, 1.0, half_width=1.0))
    low, high = axes.get_ylim()
    assert -40 < low < high < 40


def test_gaps_at_poles_and_steps_only() -> None:
    pole = local(lambda u: 1 / u, lambda u: -1 / u**2, 0.1, half_width=1.0)
    step = local(np.floor, np.zeros_like, 0.5)
    smooth = square()
    gaps = [
        np.isnan(data(lines(plot_local_derivative(each))[0])[1]).sum()
        for each in (pole, step, smooth)
    ]
    assert gaps == [1, 3, 0]


def test_no_tangent_without_slope() -> None:
    axes = plot_local_derivative(local(np.square, lambda u: np.nan * u, 1.0))
    assert data(lines(axes)[1])[0].size == 0
    assert not any("slope" in text.get_text() for text in axes.texts)


def test_no_curve_around_nan() -> None:
    axes = plot_local_derivative(nowhere())
    assert "no curve around nan" in [text.get_text() for text in axes.texts]


def test_draws_into_the_users_axes() -> None:
    figure = Figure()
    mine, other = figure.subplots(1, 2)
    assert plot_local_derivative(square(), ax=mine) is mine
    assert not other.lines
    assert draw_step([square()], figure=figure) is figure


@pytest.mark.parametrize("name", ["a$b$c", "$x", "x_1", "a^{2}", "<script>&\"'"])
def test_names_are_no_markup(name: str) -> None:
    svg = svg_of(draw_step([square(x_name=name)]))
    texts = [element.text for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314
    assert name in texts


def test_names_without_glyphs_are_neutral() -> None:
    figure = draw_step([square(x_name="입력", y_name="出力", label="제곱")])
    svg_of(figure)
    labels = {axes.get_ylabel() for axes in figure.axes}
    assert labels == {"output = function(input)", "d(output)/d(input)"}


def test_long_names_are_cut() -> None:
    step = square(x_name="an_input_of_a_very_long_name", y_name="an_output_of_a_longer_name")
    for axes in draw_step([step, step]).axes:
        assert len(axes.get_ylabel()) < 40
        assert axes.get_ylabel().count("…") >= 1


def test_an_unnamed_output_is_only_the_call() -> None:
    step = square(y_name="square(exp(b))", x_name="exp(b)")
    assert plot_local_derivative(step).get_ylabel() == "square(exp(b))"


def test_svg_is_the_same_each_time_and_small() -> None:
    svg = svg_of(draw_step([square()]))
    assert svg == svg_of(draw_step([square()]))
    assert svg.startswith("<svg")
    assert len(svg) < 18_000
    for trace in ("date", "matplotlib.org", "DejaVu", "RDF"):
        assert trace not in svg
    assert re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", svg)) is None


def test_svg_refers_only_to_what_it_defines() -> None:
    svg = svg_of(draw_step([square()]))
    used = set(re.findall(r'(?:url\(#|href="#)(\w+)', svg))
    assert used
    assert used <= set(re.findall(r' id="(\w+)"', svg))


def test_reused_figure_gives_the_same_bytes() -> None:
    painter = StepPainter()
    relu = local(lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0, -1.0, label="relu")
    huge = local(lambda u: 1e9 * u, lambda u: 1e9 + 0 * u, 1e6, half_width=1e6)
    steps: list[list[LocalDerivative | None]] = [
        [square()],
        [relu],
        [square(), None],
        [nowhere()],
        [huge],
        [relu, square()],
        [square()],
    ]
    for step in steps:
        assert painter.svg(step) == svg_of(draw_step(step))


def test_settings_of_the_user_neither_matter_nor_change() -> None:
    expected = svg_of(draw_step([square()]))
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "axes.facecolor": "black"}):
        # To look at the backend would choose one.
        before = {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}
        assert svg_of(draw_step([square()])) == expected
        assert StepPainter().svg([square()]) == expected
        assert before == {key: mpl.rcParams[key] for key in before}


def test_kinks_and_walls_are_marked_and_named() -> None:
    relu = local(lambda u: np.maximum(u, 0), lambda u: (u > 0) * 1.0, 1.0)
    figure = draw_step([replace(relu, marks=(Mark("kink", 0.0), Mark("flat", 1.0, 0.0004)))])
    np.testing.assert_allclose(data(artist(figure.axes[1], "kinks")), [[0], [0]], atol=0.02)
    saturated = "saturated: the slope is 0.0004 of its largest"
    assert figure.texts[0].get_text() == f"kink at 0; {saturated}"
    marks = (Mark("pole", -0.1), Mark("pole", 0.1), Mark("flat", 1.0, 0.0004))
    figure = draw_step([replace(relu, marks=marks)])
    assert figure.texts[0].get_text() == f"pole at −0.1, pole at 0.1\n{saturated}"
    floor = local(np.floor, np.zeros_like, 0.5)
    axes = plot_local_derivative(replace(floor, marks=(Mark("jump", 0.0), Mark("jump", 1.0))))
    np.testing.assert_array_equal(data(artist(axes, "walls"))[0], [0, 0, 0, 1, 1, 1])
    u, f = data(artist(axes, "curve"))
    assert np.isnan(f[np.searchsorted(samples(floor).u, 0.0)])
    assert u.size == f.size > 121


def test_measured_slope_is_a_second_tangent() -> None:
    axes = draw_step([square()], numeric=[-4.5]).axes[1]
    (left, right), (low, high) = data(artist(axes, "measured"))
    assert (high - low) / (right - left) == pytest.approx(-4.5)
    assert artist(axes, "measured").get_color() == GREEN
    shown = [text.get_text() for text in axes.texts]
    assert {"slope 2.568", "measured −4.5"} <= set(shown)
    assert not data(artist(draw_step([square()], numeric=[None]).axes[1], "measured"))[0].size


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("$2 b$", "$2 b$"),
        (None, ""),
        ("$입력$", ""),
        (r"$\frac{1}{$", ""),
        ("$" + 60 * "x" + "$", ""),
    ],
)
def test_a_formula_that_fits_is_shown(formula: str | None, shown: str) -> None:
    figure = draw_step([square()], formulas=[formula])
    assert figure.texts[1].get_text() == shown
    svg_of(figure)


def test_labels_of_slopes_stay_inside() -> None:
    for x in (-1.4, 1.4):
        figure = draw_step([local(np.square, lambda u: 2 * u, x, half_width=abs(x) + 0.1)])
        figure.canvas.draw()
        (label,) = (t for t in figure.axes[1].texts if t.get_text().startswith("slope"))
        box, axes = label.get_window_extent(), figure.axes[1].bbox
        assert axes.x0 - 20 < box.x0 < box.x1 < figure.bbox.x1


def fonts_alive() -> int:
    gc.collect()
    return sum(type(thing).__name__ == "StixSansFonts" for thing in gc.get_objects())


def test_formulas_leave_no_fonts_behind() -> None:
    step = backward_pass(exp(Variable(0.5, name="x")))
    before = fonts_alive()
    for _ in range(3):
        assert "exp" in svg_of(step.plot(1).figure)
    assert fonts_alive() <= before


def letters_kept() -> int:
    """Count the glyphs that matplotlib's own fonts hold."""
    files = Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf")
    return sum(get_font(str(file)).get_num_glyphs() for file in files)


def test_formulas_leave_no_letters_behind() -> None:
    a, b = Variable(2.0, name="a"), Variable(3.0, name="b")
    bp = backward_pass(exp(sqrt((a / b) ** (a / b))))
    before = letters_kept()
    for number in range(1, len(bp) + 1):
        picture = bp.plot(number)
        assert svg_of(picture.figure)
        assert picture._repr_png_()
        assert letters_kept() <= before
