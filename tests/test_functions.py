"""Each function by itself: values, local derivatives, and what is agreed on at kinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import ipygrad
from ipygrad import Function, SumTo, Variable, broadcast_to, functions, reshape
from ipygrad import sum as sum_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Values = Sequence[float]

# Name, its class, numpy's version, and the points where the local derivative is looked at.
UNARY: dict[str, tuple[str, Callable[..., Any], Values]] = {
    "cos": ("Cos", np.cos, (-2.0, 0.0, 0.3, 4.0)),
    "exp": ("Exp", np.exp, (-3.0, 0.0, 0.5, 2.0)),
    "log": ("Log", np.log, (0.01, 0.5, 1.0, 20.0)),
    "negative": ("Neg", np.negative, (-2.0, 0.0, 3.0)),
    "relu": ("ReLU", lambda x: np.maximum(x, 0), (-2.0, -0.1, 0.1, 3.0)),
    "sigmoid": ("Sigmoid", lambda x: 1 / (1 + np.exp(-x)), (-5.0, 0.0, 0.5, 4.0)),
    "sin": ("Sin", np.sin, (-2.0, 0.0, 0.3, 4.0)),
    "sqrt": ("Sqrt", np.sqrt, (0.01, 0.5, 1.0, 20.0)),
    "square": ("Square", np.square, (-2.0, 0.0, 0.5, 3.0)),
    "tanh": ("Tanh", np.tanh, (-3.0, 0.0, 0.5, 2.0)),
}
BINARY: dict[str, tuple[str, Callable[..., Any], Sequence[tuple[float, float]]]] = {
    "add": ("Add", np.add, [(1.0, 2.0), (-3.0, 0.5)]),
    "divide": ("Div", np.divide, [(1.0, 2.0), (-3.0, 0.5), (2.0, -4.0)]),
    "multiply": ("Mul", np.multiply, [(1.0, 2.0), (-3.0, 0.5), (0.0, 0.0)]),
    "power": ("Pow", np.power, [(1.0, 2.0), (0.5, -1.5), (3.0, 0.5)]),
    "subtract": ("Sub", np.subtract, [(1.0, 2.0), (-3.0, 0.5)]),
}
# What works on whole arrays, with the class that does it.
SHAPES = {"broadcast_to": "BroadcastTo", "reshape": "Reshape", "sum": "Sum"}
WITHOUT_FUNCTION = {"SumTo"}

ARRAYS: list[tuple[str, Callable[[Any], Any], tuple[int, ...]]] = [
    ("sum", np.sum, (2, 3)),
    ("sum over 0", lambda x: np.sum(x, axis=0), (2, 3)),
    ("sum over -1", lambda x: np.sum(x, axis=-1), (2, 3)),
    ("sum over 0 and -1", lambda x: np.sum(x, axis=(0, -1)), (2, 3, 2)),
    ("sum, dimensions kept", lambda x: np.sum(x, axis=1, keepdims=True), (2, 3)),
    ("sum of all, dimensions kept", lambda x: np.sum(x, keepdims=True), (2, 3)),
    ("sum over nothing", lambda x: np.sum(x, axis=()), (2, 3)),
    ("sum of a number", np.sum, ()),
    ("sum of none", np.sum, (0, 3)),
    ("reshape", lambda x: np.reshape(x, (3, 2)), (2, 3)),
    ("reshape, one length left open", lambda x: np.reshape(x, (3, -1)), (2, 3)),
    ("flatten", lambda x: np.reshape(x, -1), (2, 3)),
    ("broadcast a number", lambda x: np.broadcast_to(x, (2, 3)), ()),
    ("broadcast a row", lambda x: np.broadcast_to(x, (2, 3)), (3,)),
    ("broadcast a column", lambda x: np.broadcast_to(x, (2, 3)), (2, 1)),
    ("broadcast both ways", lambda x: np.broadcast_to(x, (4, 2, 3)), (2, 1)),
]


def numerical_slope(f: Callable[[float], Any], x: float) -> float:
    """Central difference of fourth order; see Abramowitz and Stegun, 25.3.6."""
    h = 1e-3 * max(1e-1, abs(x))
    ahead, behind = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return float((8 * ahead - behind) / (12 * h))


def test_every_exported_function_is_looked_at() -> None:
    named = {**UNARY, **BINARY}
    tested = {*named, *SHAPES, *SHAPES.values(), *WITHOUT_FUNCTION}
    tested.update(class_name for class_name, *_ in named.values())
    assert sorted(functions.__all__) == sorted(tested)


@pytest.mark.parametrize("name", functions.__all__)
def test_everything_is_exported_and_documented(name: str) -> None:
    value = getattr(functions, name)
    assert getattr(ipygrad, name) is value
    assert name == "sum" or name in ipygrad.__all__, "import * leaves Python's own sum alone"
    assert value.__doc__
    if isinstance(value, type):
        assert issubclass(value, Function)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_function_class_and_numpy_agree(name: str) -> None:
    class_name, reference, *_ = {**UNARY, **BINARY}[name]
    function = getattr(functions, name)
    kind = getattr(functions, class_name)
    points: Any = UNARY[name][2] if name in UNARY else BINARY[name][2]
    inputs = [np.array(column) for column in np.atleast_2d(np.transpose(points))]
    expected = reference(*inputs)
    for call in (function, kind()):
        y = call(*map(Variable, inputs))
        np.testing.assert_allclose(y.data, expected, rtol=1e-15, atol=1e-16)
        assert type(y.creator) is kind
        assert y.creator.label == name


@pytest.mark.parametrize(("name", "x"), [(name, x) for name in UNARY for x in UNARY[name][2]])
def test_local_derivative_of_one_input(name: str, x: float) -> None:
    function = getattr(functions, name)
    variable = Variable(x)
    function(variable).backward()
    assert type(variable.grad) is np.ndarray
    slope = numerical_slope(lambda u: function(u).data, x)
    assert variable.grad == pytest.approx(slope, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize(("name", "point"), [(name, p) for name in BINARY for p in BINARY[name][2]])
def test_local_derivatives_of_two_inputs(name: str, point: tuple[float, float]) -> None:
    function = getattr(functions, name)
    a, b = map(Variable, point)
    function(a, b).backward()
    slopes = (
        numerical_slope(lambda u: function(u, b.data).data, point[0]),
        numerical_slope(lambda u: function(a.data, u).data, point[1]),
    )
    assert (a.grad, b.grad) == pytest.approx(slopes, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize(("name", "f", "shape"), ARRAYS, ids=[name for name, *_ in ARRAYS])
def test_functions_of_whole_arrays(
    name: str, f: Callable[[Any], Any], shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(len(name))
    x = Variable(rng.normal(size=shape))
    y = f(x)
    np.testing.assert_array_equal(y.data, f(x.data), strict=True)
    # All of them are linear, so that one random direction is as good as a Jacobian.
    y.grad = rng.normal(size=y.shape)
    y.backward()
    direction = rng.normal(size=shape)
    assert x.grad.shape == shape
    assert np.sum(x.grad * direction) == pytest.approx(np.sum(y.grad * f(direction)), rel=1e-12)


def test_methods_and_functions_of_our_own_take_the_same_options() -> None:
    x = Variable(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(x.sum(axis=1, keepdims=True).data, [[3.0], [12.0]])
    np.testing.assert_array_equal(sum_of(x, 0).data, [3.0, 5.0, 7.0])
    assert x.sum().data == 15.0
    assert reshape(x, 6).shape == (6,)
    assert broadcast_to(Variable(1.0), 2).shape == (2,)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (1, 2, 3)])
def test_sum_to_undoes_broadcasting(shape: tuple[int, ...]) -> None:
    x = Variable(np.arange(12.0).reshape(2, 2, 3)[: 1 if len(shape) == 3 else 2])
    y = SumTo(shape)(x)
    assert y.shape == shape
    assert y.data.sum() == x.data.sum()
    y.backward()
    np.testing.assert_array_equal(x.grad, np.ones(x.shape), strict=True)


@pytest.mark.parametrize(
    ("f", "x", "value", "slope"),
    [
        (functions.relu, 0.0, 0.0, 0.0),
        (functions.relu, -0.0, 0.0, 0.0),
        (lambda x: x**0, 0.0, 1.0, 0.0),
        (lambda x: x**0, 3.0, 1.0, 0.0),
        (lambda x: x**1, 0.0, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0, 0.0),
        (lambda x: (-x) ** 3, 2.0, -8.0, -12.0),
        (lambda x: 0**x, 0.0, 1.0, 0.0),
        (lambda x: 0**x, 2.0, 0.0, 0.0),
        (functions.sigmoid, 1000.0, 1.0, 0.0),
        (functions.sigmoid, -1000.0, 0.0, 0.0),
        (functions.tanh, 1000.0, 1.0, 0.0),
    ],
)
def test_conventions(
    f: Callable[[Variable], Variable], x: float, value: float, slope: float
) -> None:
    variable = Variable(x)
    y = f(variable)
    y.backward()
    assert (y.item(), variable.grad) == (value, slope)


def test_both_derivatives_of_zero_to_the_zero_are_zero() -> None:
    a, b = Variable(0.0), Variable(0.0)
    y = a**b
    y.backward()
    assert (y.item(), a.grad, b.grad) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("f", "x", "slope"), [(functions.sqrt, 0.0, np.inf), (functions.log, 0.0, np.inf)]
)
def test_infinite_slopes_are_infinite(
    f: Callable[[Variable], Variable], x: float, slope: float
) -> None:
    variable = Variable(x)
    with np.errstate(all="ignore"):
        f(variable).backward()
    assert variable.grad == slope
