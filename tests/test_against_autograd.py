"""Every function, every operator and random compositions against HIPS autograd as the oracle.

First derivatives are compared by a random cotangent, second derivatives by a random direction: the
gradient of (first derivatives · direction). Both take part in every comparison. PyTorch is a second
oracle (`test_against_torch.py`), finite differences are a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from ipygrad import Variable, check_grads, functions
from tests.formulas import ALL_CASES, CASES, FUNCTIONS, ORACLE, inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[Any, np.dtype[np.float64]]
    Formula = Callable[..., Any]

RELATIVE = 1e-9

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


@pytest.mark.parametrize("name", CASES)
def test_functions(name: str) -> None:
    case = CASES[name]
    compare(case.formula, inputs_of(case, len(name)), np.random.default_rng(len(name)))


def test_every_function_is_compared() -> None:
    assert {name.partition(":")[0] for name in CASES} == set(FUNCTIONS)


@pytest.mark.parametrize("name", ALL_CASES)
def test_functions_against_differences(name: str) -> None:
    case = ALL_CASES[name]
    check_grads(lambda *xs: case.formula(functions, *xs), *inputs_of(case, 1), order=3)


OPERATORS: dict[str, Formula] = {
    "-x": lambda x: -x * x,
    "abs": lambda x: abs(x - 1) * x,
    "2 + x": lambda x: (2 + x) * (x + 2),
    "2 - x": lambda x: (2 - x) * (x - 3),
    "2 * x": lambda x: 2 * x * (x * 3),
    "x / 2": lambda x: x / 2 * x,
    "1 / x": lambda x: 1 / x,
    "x ** 3": lambda x: x**3,
    "x ** 1": lambda x: x**1 * x,
    "x ** 0.5": lambda x: x**0.5,
    "x ** -1.5": lambda x: x**-1.5,
    "x ** x": lambda x: x**x,
    "2 ** x": lambda x: 2**x,
    "array * x": lambda x: np.array([1.0, -2.0, 3.0]) * x * x,
    "x @ x.T": lambda x: x @ x.T,
    "array @ x": lambda x: (np.array([1.0, -2.0]) @ x) ** 2,
    "x[0]": lambda x: x[0] * x[:, 1:2] ** 2,
    "methods": lambda x: x.reshape(3, 2) * x.transpose() * x.mean(axis=0).reshape(-1, 1),
    "reductions": lambda x: x.max() * x.min() * x.sum() * x.var() * x.std() * x.prod(),
}
TWO_INPUTS: dict[str, Formula] = {
    "a + b": lambda a, b: (a + b) * a,
    "a - b": lambda a, b: (a - b) * b,
    "a * b": lambda a, b: a * b * b,
    "a / b": lambda a, b: a / b / b,
    "a ** b": lambda a, b: a**b * a,
}
SHAPES = [((), ()), ((3,), (3,)), ((), (2, 3)), ((2, 1), (3,)), ((1,), (2, 3)), ((2, 1, 3), (4, 1))]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_methods(name: str) -> None:
    rng = np.random.default_rng(len(name))
    compare(lambda _, x: OPERATORS[name](x), [rng.uniform(0.2, 3, size=(2, 3))], rng)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", TWO_INPUTS)
def test_operators_of_two_inputs(
    name: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    rng = np.random.default_rng(len(name))
    inputs = [rng.uniform(0.2, 3, size=shape) for shape in shapes]
    compare(lambda _, a, b: TWO_INPUTS[name](a, b), inputs, rng)


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
    "mean": lambda m, a, _: m.mean(a, axis=0 if a.ndim else None, keepdims=True) + a,
    "var": lambda m, a, _: m.var(a, keepdims=True) + a,
    "logsumexp": lambda m, a, _: m.logsumexp(a, -1 if a.ndim else None, True),
    "softmax": lambda m, a, _: m.softmax(a) if a.ndim else a,
    "cumsum": lambda m, a, _: m.reshape(m.cumsum(m.sin(a)), a.shape),
    "turned": lambda m, a, _: m.sum(m.transpose(a) ** 2),
    "flipped": lambda m, a, _: m.flip(a, None) * a,
    "joined": lambda m, a, _: m.sum(m.stack([a, m.sin(a)]), axis=0),
    "product": lambda m, a, _: m.matmul(m.ravel(a), m.ravel(m.cos(a))),
    "picked": lambda m, a, _: m.ravel(a)[-1:] * a if a.size else a,
    "arctan": lambda m, a, _: m.arctan(a),
    "softplus": lambda m, a, _: m.softplus(m.tanh(a)),
    "logaddexp": lambda m, a, b: m.logaddexp(m.tanh(a), m.sin(b)),
    "where": lambda m, a, b: m.where(np.arange(a.size).reshape(a.shape) % 2 == 0, a, m.sin(b)),
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


@settings(max_examples=250, derandomize=True, deadline=None, database=None)
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


KINKS: dict[str, Formula] = {
    "abs": lambda m, x: m.abs(x),
    "sign": lambda m, x: m.sign(x),
    "max": lambda m, x: m.max(x),
    "min over an axis": lambda m, x: m.min(x, axis=0),
    "maximum": lambda m, x: m.maximum(x, 0.0),
    "minimum": lambda m, x: m.minimum(x, np.array([0.0, 2.0, -1.0])),
    "x ** 0": lambda _, x: x**0,
    "x ** 2": lambda _, x: x**2,
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_and_ties(name: str) -> None:
    data = np.array([[0.0, 2.0, 2.0], [0.0, -1.0, 2.0]])
    formula = KINKS[name]
    x = Variable(data)
    formula(functions, x).backward()
    theirs = autograd.elementwise_grad(lambda a: formula(ORACLE, a))(data)
    np.testing.assert_array_equal(x.grad, theirs)
