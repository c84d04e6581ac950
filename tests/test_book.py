"""Well-known programs of a first course in automatic differentiation, and their numbers.

Functions for optimization with their gradients, descent and Newton's method, the sine by its
series, higher derivatives, differentiation of an expression with a derivative in it, and
regression by a line and by a small network.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import Variable, cos, mean_squared_error, sigmoid, sin, tanh
from ipygrad import functions as F  # noqa: N812 - as users write it

if TYPE_CHECKING:
    from collections.abc import Callable


def sphere(x: Any, y: Any) -> Any:
    return x**2 + y**2


def matyas(x: Any, y: Any) -> Any:
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def goldstein_price(x: Any, y: Any) -> Any:
    narrow = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    wide = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    return (1 + (x + y + 1) ** 2 * narrow) * (30 + (2 * x - 3 * y) ** 2 * wide)


def rosenbrock(a: Any, b: Any) -> Any:
    return 100 * (b - a**2) ** 2 + (a - 1) ** 2


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (sphere, (2.0, 2.0)),
        (matyas, (0.040000000000000036, 0.040000000000000036)),
        (goldstein_price, (-5376.0, 8064.0)),
    ],
)
def test_gradients_of_functions_for_optimization(
    f: Callable[..., Variable], gradient: tuple[float, float]
) -> None:
    x, y = Variable(np.array(1.0)), Variable(np.array(1.0))
    f(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == pytest.approx(gradient, rel=1e-14)


def test_the_gradient_of_the_rosenbrock_function() -> None:
    a, b = Variable(np.array(0.0)), Variable(np.array(2.0))
    rosenbrock(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (-2.0, 400.0)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (1000, (0.6837118569138317, 0.4659526837427042)),
        (10_000, (0.9944984367782456, 0.9890050527419593)),
    ],
)
def test_gradient_descent_creeps_along_the_valley(
    steps: int, expected: tuple[float, float]
) -> None:
    a, b = Variable(np.array(0.0)), Variable(np.array(2.0))
    for _ in range(steps):
        a.cleargrad()
        b.cleargrad()
        rosenbrock(a, b).backward()
        a.data -= 0.001 * a.grad
        b.data -= 0.001 * b.grad
    assert (a.item(), b.item()) == pytest.approx(expected, rel=1e-13)


def quartic(x: Any) -> Any:
    return x**4 - 2 * x**2


def test_second_derivative() -> None:
    x = Variable(np.array(2.0))
    quartic(x).backward(create_graph=True)
    gx, x.grad = x.grad, None
    assert gx.item() == 24.0
    gx.backward()
    assert x.grad == 44.0


def test_newtons_method_takes_seven_steps() -> None:
    x = Variable(np.array(2.0))
    path = []
    for _ in range(8):
        path.append(x.item())
        x.cleargrad()
        quartic(x).backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        gx.backward()
        x.data = x.data - gx.data / x.grad
    expected = [2.0, 1.4545454545454546, 1.1510467893775467, 1.0253259289766978]
    expected += [1.0009084519430513, 1.0000012353089454, 1.000000000002289, 1.0]
    assert path == pytest.approx(expected, rel=1e-12)


def test_newtons_method_by_hand_is_the_same() -> None:
    x = Variable(np.array(2.0))
    for _ in range(7):
        x.cleargrad()
        quartic(x).backward()
        x.data = x.data - x.grad / (12 * x.data**2 - 4)
    assert x.item() == 1.0


def sine_by_series(x: Variable, threshold: float) -> Variable:
    y = Variable(0.0)
    for i in range(100_000):
        term = (-1) ** i / math.factorial(2 * i + 1) * x ** (2 * i + 1)
        y = y + term
        if abs(term.item()) < threshold:
            break
    return y


@pytest.mark.parametrize(
    ("threshold", "value", "slope"),
    [
        (1e-4, 0.7071064695751781, 0.7071032148228457),
        (1e-150, 0.7071067811865475, 0.7071067811865475),
    ],
)
def test_the_sine_by_its_series(threshold: float, value: float, slope: float) -> None:
    x = Variable(np.array(np.pi / 4))
    y = sine_by_series(x, threshold)
    y.backward()
    assert (y.item(), x.grad.item()) == pytest.approx((value, slope), rel=1e-14)


def higher_derivatives(f: Callable[[Variable], Variable], x: Variable, order: int) -> list[Any]:
    found = []
    y = f(x)
    for _ in range(order):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        found.append(y.data)
    return found


def test_higher_derivatives_of_the_sine() -> None:
    found = higher_derivatives(sin, Variable(np.array(1.0)), 4)
    expected = [math.cos(1), -math.sin(1), -math.cos(1), math.sin(1)]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_higher_derivatives_of_the_sine_as_curves() -> None:
    u = np.linspace(-7, 7, 200)
    found = higher_derivatives(sin, Variable(u), 3)
    np.testing.assert_allclose(found, [np.cos(u), -np.sin(u), -np.cos(u)], atol=1e-15)


def test_higher_derivatives_of_tanh() -> None:
    found = higher_derivatives(tanh, Variable(np.array(1.0)), 5)
    y = math.tanh(1)
    d = 1 - y * y
    by_hand = [
        *(d, -2 * y * d, d * (6 * y**2 - 2), 8 * y * d * (2 - 3 * y**2)),
        8 * d * (15 * y**4 - 15 * y**2 + 2),
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)


def test_a_derivative_inside_an_expression_is_differentiated() -> None:
    x = Variable(np.array(2.0))
    y = x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    z = gx**3 + y
    z.backward()
    assert x.grad == 100.0


def test_elementwise_functions_and_sums_of_arrays() -> None:
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    c = Variable(np.array([[10, 20, 30], [40, 50, 60]]))
    y = F.sum(x + c)
    y.backward()
    assert y.item() == 231.0
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))
    np.testing.assert_allclose(sin(x).data, np.sin(x.data))


def test_reshape_and_transpose_take_gradients_back() -> None:
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    for y in (F.reshape(x, (6,)), x.reshape(6), x.T, x.transpose(), F.transpose(x)):
        x.cleargrad()
        y.backward(retain_grad=True)
        np.testing.assert_array_equal(x.grad, np.ones((2, 3)))


def test_sums_over_axes_and_broadcasting() -> None:
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    y = F.sum(x, axis=0)
    y.backward()
    np.testing.assert_array_equal(y.data, [5, 7, 9])
    assert F.sum(Variable(np.ones((2, 3, 4, 5))), keepdims=True).shape == (1, 1, 1, 1)
    x0, x1 = Variable(np.array([1, 2, 3])), Variable(np.array([10]))
    (x0 + x1).backward()
    np.testing.assert_array_equal(x1.grad, [3])


def test_matrix_product() -> None:
    rng = np.random.default_rng(0)
    x, W = Variable(rng.normal(size=(2, 3))), Variable(rng.normal(size=(3, 4)))  # noqa: N806
    F.matmul(x, W).backward()
    assert (x.grad.shape, W.grad.shape) == ((2, 3), (3, 4))


def samples(seed: int) -> tuple[Any, Any]:
    """Draw numbers from 0 to 1 and noise, as numpy's old generator with a seed has them."""
    state = np.random.RandomState(seed)
    return state.rand(100, 1), state.rand(100, 1)


def test_linear_regression() -> None:
    x, noise = samples(0)
    y = 5 + 2 * x + noise
    W, b = Variable(np.zeros((1, 1))), Variable(np.zeros(1))  # noqa: N806
    losses = []
    for _ in range(100):
        loss = mean_squared_error(y, Variable(x) @ W + b)
        losses.append(loss.item())
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= 0.1 * W.grad
        b.data -= 0.1 * b.grad
    assert losses[0] == pytest.approx(42.296340129442335, rel=1e-12)
    assert W.item() == pytest.approx(2.11807369, abs=1e-8)
    assert b.item() == pytest.approx(5.46608905, abs=1e-8)
    assert losses[-1] == pytest.approx(0.07908606512411756, rel=1e-3)


def test_a_small_network_learns_a_sine() -> None:
    state = np.random.RandomState(0)
    x = state.rand(100, 1)
    y = np.sin(2 * np.pi * x) + state.rand(100, 1)
    parameters = [
        Variable(0.01 * state.randn(1, 10)),
        Variable(np.zeros(10)),
        Variable(0.01 * state.randn(10, 1)),
        Variable(np.zeros(1)),
    ]
    losses = []
    for _ in range(10_000):
        W1, b1, W2, b2 = parameters  # noqa: N806
        loss = mean_squared_error(y, F.linear(sigmoid(F.linear(x, W1, b1)), W2, b2))
        losses.append(loss.item())
        for parameter in parameters:
            parameter.cleargrad()
        loss.backward()
        for parameter in parameters:
            parameter.data -= 0.2 * parameter.grad
    assert losses[0] == pytest.approx(0.8473695850105871, rel=1e-12)
    assert losses[1000] == pytest.approx(0.2514286285183606, rel=1e-6)
    assert losses[-1] < 0.08


def test_the_cosine_is_the_slope_of_the_sine_everywhere() -> None:
    x = Variable(np.linspace(-3, 3, 7))
    sin(x).backward()
    np.testing.assert_array_equal(x.grad, cos(x).data)
