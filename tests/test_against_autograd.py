"""Every function, every operator and random compositions against HIPS autograd as the oracle.

First derivatives are compared by a random cotangent, second derivatives by a random direction: the
gradient of (first derivatives · direction). Both take part in every comparison.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from ipygrad import Variable, functions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[Any, np.dtype[np.float64]]
    Formula = Callable[..., Any]

RELATIVE = 1e-9

# A formula takes a namespace of functions, ours or this one, and its inputs.
ORACLE = SimpleNamespace(
    **{name: getattr(anp, name) for name in functions.__all__ if hasattr(anp, name)}
)
ORACLE.broadcast_to = lambda x, shape: x + np.zeros(shape)
ORACLE.relu = lambda x: anp.maximum(x, 0.0)
ORACLE.sigmoid = lambda x: 1 / (1 + anp.exp(-x))

pytestmark = pytest.mark.filterwarnings("ignore:Output seems independent of input")


def by_ipygrad(
    formula: Formula, inputs: Sequence[Array], cotangent: Array, directions: Sequence[Array]
) -> tuple[Array, list[Array], list[Array]]:
    variables = [Variable(x) for x in inputs]
    y = formula(functions, *variables)
    loss = (y * cotangent).sum()

    def gradients(of: Variable, missing: Any, create_graph: bool = False) -> list[Any]:
        for x in variables:
            x.cleargrad()
        of.backward(create_graph=create_graph)
        return [missing(np.zeros(x.shape)) if x.grad is None else x.grad for x in variables]

    plain = gradients(loss, np.asarray)
    first = gradients(loss, Variable, create_graph=True)
    for gx, plain_gx in zip(first, plain, strict=True):
        np.testing.assert_array_equal(gx.data, plain_gx, strict=True)
    total = 0 * loss
    for gx, direction in zip(first, directions, strict=True):
        total = total + (gx * direction).sum()
    return y.data, plain, gradients(total, np.asarray)


def by_autograd(
    formula: Formula, inputs: Sequence[Array], cotangent: Array, directions: Sequence[Array]
) -> tuple[Array, list[Array], list[Array]]:
    argnums = tuple(range(len(inputs)))
    first = autograd.grad(lambda *xs: anp.sum(formula(ORACLE, *xs) * cotangent), argnums)

    def along_directions(*xs: Any) -> Any:
        return sum(anp.sum(gx * d) for gx, d in zip(first(*xs), directions, strict=True))

    second = autograd.grad(along_directions, argnums)
    return formula(ORACLE, *inputs), list(first(*inputs)), list(second(*inputs))


def compare(formula: Formula, inputs: Sequence[Array], rng: np.random.Generator) -> None:
    cotangent = rng.normal(size=np.shape(formula(ORACLE, *inputs)))
    directions = [np.asarray(rng.normal(size=x.shape)) for x in inputs]
    ours, (y, first, second) = (
        by(formula, inputs, cotangent, directions) for by in (by_ipygrad, by_autograd)
    )
    for own, oracle in zip((ours[0], *ours[1], *ours[2]), (y, *first, *second), strict=True):
        assert own.shape == np.shape(oracle)
        size = float(np.max(np.abs(oracle), initial=1.0))
        np.testing.assert_allclose(own, oracle, rtol=RELATIVE, atol=RELATIVE * 1e-3 * size)


ONE_INPUT: dict[str, Formula] = {
    "cos": lambda m, x: m.cos(x),
    "exp": lambda m, x: m.exp(x),
    "negative": lambda m, x: m.negative(x) * x,
    "relu": lambda m, x: m.relu(x) * x,
    "sigmoid": lambda m, x: m.sigmoid(x),
    "sin": lambda m, x: m.sin(x),
    "square": lambda m, x: m.square(x),
    "tanh": lambda m, x: m.tanh(x),
    "sum": lambda m, x: m.sum(x) ** 2,
    "sum over 0": lambda m, x: m.sum(x, axis=0) ** 2,
    "sum over -1, kept": lambda m, x: m.sum(x, axis=-1, keepdims=True) * x,
    "sum over two": lambda m, x: m.sum(x, axis=(0, -1), keepdims=True) * x,
    "reshape": lambda m, x: m.reshape(x, (3, 2)) ** 3,
    "flatten": lambda m, x: m.reshape(x, -1) ** 2,
    "broadcast_to": lambda m, x: m.broadcast_to(x, (4, 2, 3)) ** 2,
    "-x": lambda _, x: -x * x,
    "2 + x": lambda _, x: (2 + x) * (x + 2),
    "2 - x": lambda _, x: (2 - x) * (x - 3),
    "2 * x": lambda _, x: 2 * x * (x * 3),
    "x ** 3": lambda _, x: x**3,
    "x ** 1": lambda _, x: x**1 * x,
    "2 ** x": lambda _, x: 2**x,
    "array * x": lambda _, x: np.array([1.0, -2.0, 3.0]) * x * x,
}
POSITIVE_INPUT: dict[str, Formula] = {
    "log": lambda m, x: m.log(x),
    "sqrt": lambda m, x: m.sqrt(x),
    "1 / x": lambda _, x: 1 / x,
    "x / 2": lambda _, x: x / 2 * x,
    "x ** 0.5": lambda _, x: x**0.5,
    "x ** -1.5": lambda _, x: x**-1.5,
    "x ** x": lambda _, x: x**x,
}
TWO_INPUTS: dict[str, Formula] = {
    "add": lambda m, a, b: m.add(a, b) ** 2,
    "divide": lambda m, a, b: m.divide(a, b),
    "multiply": lambda m, a, b: m.multiply(a, b),
    "power": lambda m, a, b: m.power(a, b),
    "subtract": lambda m, a, b: m.subtract(a, b) ** 2,
    "a + b": lambda _, a, b: (a + b) * a,
    "a - b": lambda _, a, b: (a - b) * b,
    "a * b": lambda _, a, b: a * b * b,
    "a / b": lambda _, a, b: a / b / b,
    "a ** b": lambda _, a, b: a**b * a,
}
SHAPES = [((), ()), ((3,), (3,)), ((), (2, 3)), ((2, 1), (3,)), ((1,), (2, 3)), ((2, 1, 3), (4, 1))]


@pytest.mark.parametrize("name", ONE_INPUT)
def test_functions_and_operators_of_one_input(name: str) -> None:
    rng = np.random.default_rng(len(name))
    compare(ONE_INPUT[name], [rng.normal(size=(2, 3))], rng)


@pytest.mark.parametrize("name", POSITIVE_INPUT)
def test_functions_and_operators_of_one_positive_input(name: str) -> None:
    rng = np.random.default_rng(len(name))
    compare(POSITIVE_INPUT[name], [rng.uniform(0.2, 3, size=(2, 3))], rng)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", TWO_INPUTS)
def test_functions_and_operators_of_two_inputs(
    name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    rng = np.random.default_rng(len(name))
    compare(TWO_INPUTS[name], [rng.uniform(0.2, 3, size=shape) for shape in shapes], rng)


def test_every_function_is_compared() -> None:
    compared = {*ONE_INPUT, *POSITIVE_INPUT, *TWO_INPUTS}
    assert {name for name in functions.__all__ if name.islower()} <= compared


# Steps of a composition: smooth everywhere, and growing slowly enough to stay well conditioned.
STEPS: dict[str, Formula] = {
    "sin": lambda m, a, _: m.sin(a),
    "cos": lambda m, a, _: m.cos(a),
    "tanh": lambda m, a, _: m.tanh(a),
    "sigmoid": lambda m, a, _: m.sigmoid(a),
    "exp": lambda m, a, _: m.exp(m.sin(a)),
    "log": lambda m, a, _: m.log(1 + m.square(a)),
    "sqrt": lambda m, a, _: m.sqrt(1 + a**2),
    "sum": lambda m, a, _: m.sum(a, keepdims=True),
    "rows": lambda m, a, _: m.sum(a, axis=a.ndim - 1, keepdims=True) if a.ndim else a,
    "+": lambda _, a, b: a + b,
    "-": lambda _, a, b: a - b,
    "*": lambda _, a, b: a * b,
    "/": lambda _, a, b: a / (2 + b * b),
    "**": lambda m, a, b: (1 + a * a) ** m.tanh(b),
}
POOL = 8


def composition(steps: Sequence[tuple[str, int, int]]) -> Formula:
    """Return the formula that applies `steps`, each to two of the latest values."""

    def formula(m: Any, *inputs: Any) -> Any:
        values = list(inputs)
        for name, i, j in steps:
            values.append(
                STEPS[name](m, values[-1 - i % len(values)], values[-1 - j % len(values)])
            )
        return values[-1]

    return formula


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3),
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, POOL), st.integers(0, POOL)),
        min_size=1,
        max_size=6,
    ),
    seed=st.integers(0, 2**16),
)
def test_random_compositions(shapes: Any, steps: list[tuple[str, int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = [rng.uniform(-1, 1, size=shape) for shape in shapes.input_shapes]
    compare(composition(steps), inputs, rng)
