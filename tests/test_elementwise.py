"""Functions that work on arrays element by element: points on a curve, found by test."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from ipygrad import Function, Variable
from ipygrad import functions as F  # noqa: N812
from ipygrad.explain.local import local_derivative_of, local_slopes


class Cube(Function):
    def forward(self, x: Any) -> Any:
        return x**3

    def backward(self, gy: Any) -> Any:
        return 3 * self.input.data**2 * gy


class Picky(Cube):
    """Raises for some inputs, prints, draws random numbers and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        print("forward")
        np.random.random()  # noqa: NPY002 - the global generator is what is tested
        if (np.asarray(x) < 0).any():
            raise ValueError("only for the brave")
        return super().forward(x)


# Any: what is None for other kinds is there for points.
def found(y: Any, argnum: int = 0) -> Any:
    function = y.creator
    return local_derivative_of(function, argnum, x_name="x", y_name="y", label=function.label)


def test_a_users_function_gets_its_curve_with_all_elements() -> None:
    x = Variable([[1.0, -2.0, 0.5], [2.0, 0.0, 1.5]])
    y = Cube()(x)
    cube = found(y)
    assert (cube.kind, cube.arity, cube.jacobian) == ("points", 1, None)
    np.testing.assert_array_equal(cube.x, x.data)
    np.testing.assert_array_equal(cube.y, x.data**3)
    np.testing.assert_array_equal(cube.slope, 3 * x.data**2)
    assert cube.chosen == (0, 1)  # the first of the two with the largest slope
    u, f, slope = cube.samples.u, cube.samples.f, cube.samples.slope
    np.testing.assert_allclose(f, u**3)
    np.testing.assert_allclose(slope, 3 * u**2)
    assert u[0] < -2.0 < 2.0 < u[-1]
    assert -2.0 in u


@pytest.mark.parametrize("shape", [(1,), (2,), (2, 2), (3, 1, 2), (70, 70)])
def test_elementwise_is_decided_by_test(shape: tuple[int, ...]) -> None:
    x = Variable(np.random.default_rng(0).normal(size=shape))
    assert found(Cube()(x)).kind == "points"


class Reversed(Function):
    def forward(self, x: Any) -> Any:
        return x[::-1].copy()

    def backward(self, gy: Any) -> Any:
        return gy[::-1]


class Centred(Function):
    def forward(self, x: Any) -> Any:
        return x - x.mean()

    def backward(self, gy: Any) -> Any:
        return gy - gy.mean()


@pytest.mark.parametrize("size", [2, 3, 5000])
@pytest.mark.parametrize("make", [Reversed, Centred])
def test_what_only_looks_elementwise(make: type[Function], size: int) -> None:
    y = make()(Variable(np.ones(size)))
    assert found(y).kind == "jacobian"
    assert local_slopes(y.creator) == (None,)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_matrix_is_not_taken_for_its_transpose(value: float) -> None:
    assert found(F.transpose(Variable(np.full((2, 2), value)))).kind == "jacobian"


def test_broadcast_inputs_have_slopes_of_the_outputs_shape() -> None:
    a, b = Variable(np.arange(12.0).reshape(4, 3)), Variable([2.0, 3.0, 5.0])
    y: Any = a * b
    of_a, of_b = found(y, 0), found(y, 1)
    np.testing.assert_array_equal(of_a.slope, np.broadcast_to(b.data, (4, 3)))
    np.testing.assert_array_equal(of_b.slope, a.data)
    assert of_b.x.shape == (3,)
    assert of_b.chosen == (3, 2)
    np.testing.assert_allclose(of_b.samples.f, 11.0 * of_b.samples.u)
    for slope, local in zip(local_slopes(y.creator), (of_a, of_b), strict=True):
        np.testing.assert_array_equal(slope, local.slope)


def test_dropout_keeps_its_mask() -> None:
    y = F.dropout(Variable(np.ones(50)), 0.5, 3)
    dropout = found(y)
    np.testing.assert_array_equal(dropout.slope, y.data)
    np.testing.assert_allclose(dropout.samples.f, 2 * dropout.samples.u)


def test_a_mask_drawn_in_forward_is_the_one_that_was_drawn() -> None:
    class Dropout(Function):
        def forward(self, x: Any) -> Any:
            self.mask = 2.0 * np.random.randint(2, size=x.shape)  # noqa: NPY002 - as learners do
            return x * self.mask

        def backward(self, gy: Any) -> Any:
            return gy * self.mask

    np.random.seed(1)  # noqa: NPY002
    x = Variable(np.ones(6))
    y = Dropout()(x)
    np.testing.assert_array_equal(found(y).jacobian, np.diag(y.data))
    number = found(Dropout()(Variable(1.0)))
    assert number.samples.u.size == 0


def test_extra_calls_leave_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    picky = Picky()
    y = picky(Variable([0.5, 1.0, 2.0]))
    capsys.readouterr()
    states = str(np.random.get_state()), random.getstate()  # noqa: NPY002
    result = found(y)
    local_slopes(picky)
    assert (str(np.random.get_state()), random.getstate()) == states  # noqa: NPY002
    assert capsys.readouterr() == ("", "")
    assert picky.calls == 1
    assert y.creator is picky
    u, f = result.samples.u, result.samples.f
    assert (np.isnan(f) == (u < 0)).all()
    np.testing.assert_allclose(f[u >= 0], u[u >= 0] ** 3)


@pytest.mark.parametrize("returned", [None, "nothing", np.ones(7), ()])
def test_a_broken_backward_gives_nan(returned: Any) -> None:
    class Broken(Cube):
        def backward(self, _gy: Any) -> Any:
            return returned

    broken = found(Broken()(Variable([1.0, 2.0])))
    assert np.isnan(broken.slope).all()
    np.testing.assert_allclose(broken.samples.f, broken.samples.u**3)
    y = Broken()(Variable([1.0, 2.0]))
    assert local_slopes(y.creator) == (None,)


def test_elements_that_are_not_finite() -> None:
    with np.errstate(all="ignore"):
        log = found(F.log(Variable([-1.0, 2.0, np.nan, 0.0, np.inf])))
        nowhere = found(F.log(Variable([np.nan, np.nan])))
    assert log.chosen == (1,)
    assert np.isfinite(log.samples.f[log.samples.u > 0]).all()
    assert nowhere.samples.u.size == 0


def test_types_narrower_than_float64() -> None:
    x = Variable(np.array([0.5, -1.0, 2.0], np.float16))
    sine = found(F.sin(x))
    assert sine.kind == "points"
    np.testing.assert_allclose(sine.slope, np.cos(x.data.astype(float)), rtol=1e-2)
