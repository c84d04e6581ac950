"""The checker that users get: it passes what is right and catches what is slightly wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Function, Variable, check_grads, exp, functions, numerical_jacobian, sin, split
from tests.formulas import CASES, FUNCTIONS, inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Cube(Function):
    """Right at `off` = 1."""

    off = 1.0

    def forward(self, x: Any) -> Any:
        return x**3

    def backward(self, gy: Any) -> Any:
        (x,) = self.inputs_like(gy)
        return self.off * 3 * x**2 * gy


class OffByOneInAThousand(Cube):
    off = 1.001


class OffAtOneElement(Cube):
    def backward(self, gy: Any) -> Any:
        slope = np.ones(self.input.shape)
        slope[1, 2] = 1.001
        return Cube.backward(self, gy) * slope


class RightOnce(Cube):
    """The derivative of its derivative is off by one in a thousand."""

    def backward(self, gy: Any) -> Any:
        (x,) = self.inputs_like(gy)
        if isinstance(gy, Variable):
            constant = 3 * x.detach() ** 2
            return (constant + 1.001 * (3 * x**2 - constant)) * gy
        return 3 * x**2 * gy


X = np.linspace(-1.5, 2.0, 6).reshape(2, 3)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_right_rule_passes(order: int) -> None:
    check_grads(lambda x: Cube()(x), X, order=order)
    check_grads(lambda a, b: a * exp(b), X, X[0], order=order)
    check_grads(lambda x: split(x, 3, axis=1), X, order=order)
    check_grads(sin, 0.5, order=order)
    check_grads(sin, np.zeros((0, 2)), order=order)


@pytest.mark.parametrize("seed", range(20))
def test_a_rule_off_by_one_in_a_thousand_is_caught(seed: int) -> None:
    with pytest.raises(AssertionError, match=r"first derivative of .*off by"):
        check_grads(lambda x: OffByOneInAThousand()(x), X, seed=seed)
    with pytest.raises(AssertionError, match=r"worst at element \(1, 2\): backward gives"):
        check_grads(lambda x: OffAtOneElement()(x), X, seed=seed)


@pytest.mark.parametrize("name", sorted({*FUNCTIONS} - {"sign", "floor", "ceil", "rint"}))
def test_every_rule_of_ours_is_caught_when_it_is_off(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for key, case in CASES.items() if key.partition(":")[0] == name)
    (kind,) = [
        value
        for value in map(functions.__dict__.get, functions.__all__)
        if isinstance(value, type) and value.label == name  # type: ignore[attr-defined]
    ]
    right = kind.backward  # type: ignore[attr-defined]

    def slightly_wrong(self: Function, *cotangents: Any) -> Any:
        returned = right(self, *cotangents)
        several = returned if isinstance(returned, (tuple, list)) else (returned,)
        return tuple(None if gx is None else gx * 1.001 for gx in several)

    monkeypatch.setattr(kind, "backward", slightly_wrong)
    with pytest.raises(AssertionError, match="off by"):
        check_grads(lambda *xs: case.formula(functions, *xs), *inputs_of(case, 1))


def test_the_second_derivative_is_looked_at() -> None:
    check_grads(lambda x: RightOnce()(x), X, order=1)
    with pytest.raises(AssertionError, match=r"second derivative of .* by input 1 of 1"):
        check_grads(lambda x: RightOnce()(x), X, order=2)


def test_the_message_says_which_input_where_and_by_how_much() -> None:
    with pytest.raises(AssertionError) as caught:
        check_grads(lambda a, b: a * OffAtOneElement()(b), X + 3, X)
    message = str(caught.value)
    for words in ("by input 2 of 2, shape (2, 3)", "central differences give", "element (1, 2)"):
        assert words in message


def test_inputs_and_their_gradients_are_left_alone() -> None:
    x = Variable(X.astype(np.float32))
    before = x.data.copy()
    check_grads(lambda u: u * u, x, order=2)
    np.testing.assert_array_equal(x.data, before, strict=True)
    assert x.grad is None


@pytest.mark.parametrize(
    ("f", "inputs", "argnum", "expected"),
    [
        (lambda x: x**2, [3.0], 0, 6.0),
        (lambda x: x**2, [[1.0, 2.0]], 0, [[2.0, 0.0], [0.0, 4.0]]),
        (lambda x: x.sum(), [[1.0, 2.0]], 0, [1.0, 1.0]),
        (lambda a, b: a @ b, [[[1.0, 2.0]], [[3.0], [4.0]]], 1, [[[[1.0], [2.0]]]]),
        (lambda x: x.sum(), [np.zeros(0)], 0, np.zeros(0)),
    ],
)
def test_numerical_jacobian(
    f: Callable[..., Variable], inputs: list[Any], argnum: int, expected: Any
) -> None:
    jacobian = numerical_jacobian(f, *inputs, argnum=argnum)
    assert jacobian.shape == np.shape(expected)
    np.testing.assert_allclose(jacobian, expected, atol=1e-9)


def test_bad_use_is_named() -> None:
    with pytest.raises(TypeError, match="f must return a Variable, but returned ndarray"):
        check_grads(lambda x: x.data, 1.0)
    with pytest.raises(ValueError, match="order 1 to 3, but got 4"):
        check_grads(sin, 1.0, order=4)
    with pytest.raises(TypeError, match="An input holds real numbers"):
        numerical_jacobian(sin, "1")
