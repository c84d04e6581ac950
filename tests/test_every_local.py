"""Every exported function has a local derivative that is right, and a picture that shows it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Variable, functions, numerical_jacobian
from ipygrad.engine.core import apply
from ipygrad.explain.local import LocalDerivative, local_derivative_of, local_slopes
from ipygrad.show.plot import draw_step
from tests.formulas import CASES, FUNCTIONS, WITHOUT_ORACLE, Case, inputs_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ipygrad import Function

ALL = {**CASES, **WITHOUT_ORACLE}
SEEDS = (1, 2)


class Spy:
    """The functions' namespace; notes what makes the outputs of one of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outputs: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        function = getattr(functions, name)
        if name != self.name:
            return function

        def noting(*inputs: Any, **options: Any) -> Any:
            self.outputs.append(function(*inputs, **options))
            return self.outputs[-1]

        return noting


def recorded(key: str, case: Case, seed: int) -> tuple[Function, Any]:
    """Call a case; return its function as recorded, and its output, which has to be kept."""
    spy = Spy(key.split(":")[0])
    case.formula(spy, *[Variable(x) for x in inputs_of(case, seed)])
    y = spy.outputs[0]
    function = (y[0] if isinstance(y, (tuple, list)) else y).creator
    return function, y


def all_local(function: Function) -> list[LocalDerivative]:
    return [
        local_derivative_of(function, i, x_name=name, y_name="y", label=function.label)
        for i, name in zip(range(len(function.inputs)), "abcdefgh", strict=False)
    ]


def expected_jacobian(function: Function, argnum: int) -> Any:
    def again(*inputs: Variable) -> Any:
        outputs = apply(copy.copy(function), *inputs)
        if not isinstance(outputs, tuple):
            return outputs
        return functions.concatenate([functions.ravel(y) for y in outputs])

    return numerical_jacobian(again, *function.inputs, argnum=argnum)


def as_jacobian(local: LocalDerivative) -> Any:
    """Write any kind of local derivative as the Jacobian that it stands for."""
    if local.kind == "jacobian":
        return local.jacobian
    y_shape, x_shape = np.shape(local.y), np.shape(local.x)
    jacobian = np.zeros((*y_shape, *x_shape))
    places = np.broadcast_to(np.arange(np.size(local.x)).reshape(x_shape), y_shape)
    rows = np.arange(np.size(local.y))
    flat = jacobian.reshape(np.size(local.y), np.size(local.x))
    flat[rows, places.ravel()] = np.ravel(local.slope)  # type: ignore[arg-type]
    return jacobian


def test_no_function_is_left_out() -> None:
    assert {key.split(":")[0] for key in ALL} >= set(FUNCTIONS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("key", ALL)
def test_local_derivatives_agree_with_differences(key: str, seed: int) -> None:
    function, _outputs = recorded(key, ALL[key], seed)
    slopes = local_slopes(function)
    for argnum, local in enumerate(all_local(function)):
        expected = expected_jacobian(function, argnum)
        np.testing.assert_allclose(as_jacobian(local), expected, rtol=1e-6, atol=1e-6)
        assert (slopes[argnum] is None) == (local.kind == "jacobian")
        if local.slope is not None:
            np.testing.assert_array_equal(slopes[argnum], local.slope)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pictures_show_them(name: str) -> None:
    key = next(key for key in ALL if key.split(":")[0] == name)
    function, _outputs = recorded(key, ALL[key], SEEDS[0])
    locals_ = all_local(function)
    figure = draw_step(locals_)
    figure.canvas.draw()
    for local, panels in zip(locals_, columns(figure, locals_), strict=True):
        if local.kind == "jacobian":
            shows_matrix(panels[0], local)
        else:
            shows_curve(panels[1], local)


def columns(figure: Figure, locals_: list[LocalDerivative]) -> list[list[Axes]]:
    """Divide the axes into those of each input: one for a map, two for a curve, lower first."""
    axes = iter(figure.axes)
    return [[next(axes) for _ in range(1 if e.kind == "jacobian" else 2)] for e in locals_]


def shows_matrix(axes: Axes, local: LocalDerivative) -> None:
    rows, columns = int(np.prod(np.shape(local.y))), int(np.prod(np.shape(local.x)))
    assert local.jacobian is not None
    cells = local.jacobian.reshape(rows, columns)
    (image,) = axes.images
    shown = image.get_array()
    np.testing.assert_array_equal(shown, cells)
    assert image.get_clim()[1] == -image.get_clim()[0]
    numbers = [text for text in axes.texts if text.get_text()]
    assert len(numbers) == (rows * columns if max(rows, columns) <= 8 else 0)
    assert all(label for label in (axes.get_xlabel(), axes.get_ylabel()))


def shows_curve(axes: Axes, local: LocalDerivative) -> None:
    lines = {line.get_gid(): line for line in axes.lines}
    assert local.samples is not None
    x = np.broadcast_to(local.x, np.shape(local.y))
    y, slope = np.asarray(local.y), np.asarray(local.slope)
    drawn = np.asarray(lines["curve"].get_xdata(), float)
    np.testing.assert_array_equal(drawn[~np.isnan(drawn)], local.samples.u)
    np.testing.assert_array_equal(lines["point"].get_xydata(), [[x[local.chosen], y[local.chosen]]])
    (left, low), (right, high) = np.asarray(lines["tangent"].get_xydata())
    assert (high - low) / (right - left) == pytest.approx(float(slope[local.chosen]))
    if local.kind == "points":
        expected = np.stack([x.ravel(), y.ravel()], axis=1)
        np.testing.assert_array_equal(lines["dots"].get_xydata(), expected)
        assert np.abs(slope[local.chosen]) == np.abs(slope).max()
