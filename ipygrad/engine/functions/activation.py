"""What neurons do with the sum of their inputs, element by element; the same shape out as in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply


def _logistic(x: Any) -> Any:
    """Compute 1 / (1 + exp(-x)) by tanh, which does not overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


class Sigmoid(Function):
    """The class behind `sigmoid`."""

    __slots__ = ()
    label = "sigmoid"

    def forward(self, x: Array) -> Any:
        """Compute 1 / (1 + exp(-x))."""
        return _logistic(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · y · (1 - y)."""
        y = self.output_like(gy)
        return gy * y * (1 - y)


class ReLU(Function):
    """The class behind `relu`."""

    __slots__ = ()
    label = "relu"

    def forward(self, x: Array) -> Any:
        """Compute max(x, 0)."""
        return np.maximum(x, 0)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy where x > 0."""
        return gy * (self.inputs[0]._value > 0)


class LeakyReLU(Function):
    """Elementwise y = x where x > 0, else slope · x; local derivative 1 or slope (also at 0).

    Parameters
    ----------
    slope
        Local derivative at 0 and below.
    """

    __slots__ = ("slope",)
    label = "leaky_relu"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Array) -> Any:
        """Compute x or slope · x."""
        return x * self._factor(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy or gy · slope."""
        return gy * self._factor(self.inputs[0]._value)

    def _factor(self, x: Array) -> Any:
        return np.where(x > 0, 1, self.slope).astype(x.dtype)


class ELU(Function):
    """Elementwise y = x where x > 0, else alpha · (eˣ - 1); local derivative 1 or alpha · eˣ.

    Parameters
    ----------
    alpha
        Where it levels off is -alpha; it is also the local derivative at 0.
    """

    __slots__ = ("alpha",)
    label = "elu"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Array) -> Any:
        """Compute x or alpha · (exp(x) - 1)."""
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def backward(self, gy: Gradient) -> Any:
        """Compute gy or gy · alpha · exp(x)."""
        x = self.input_like(gy)
        return gy * np.where(self.inputs[0]._value > 0, 1, self.alpha * np.exp(np.minimum(x, 0)))


class Softplus(Function):
    """The class behind `softplus`."""

    __slots__ = ()
    label = "softplus"

    def forward(self, x: Array) -> Any:
        """Compute log(1 + exp(x))."""
        return np.logaddexp(x, 0)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (1 + exp(-x))."""
        return gy * _logistic(self.input_like(gy))


class SiLU(Function):
    """Elementwise y = x · s with s = 1 / (1 + exp(-x)); local derivative s + x · s · (1 - s)."""

    __slots__ = ()
    label = "silu"

    def forward(self, x: Array) -> Any:
        """Compute x · s."""
        return x * _logistic(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (s + x · s · (1 - s))."""
        x = self.input_like(gy)
        s = _logistic(x)
        return gy * (s + x * s * (1 - s))


class GELU(Function):
    """Elementwise y = x · (1 + t) / 2 with t = tanh(√(2/π) (x + 0.044715 x³)).

    The approximation by tanh of x times the normal distribution function, off by less than 0.001.
    """

    __slots__ = ()
    label = "gelu"

    def forward(self, x: Array) -> Any:
        """Compute x · (1 + t) / 2."""
        return 0.5 * x * (1 + np.tanh(ROOT * (x + CUBIC * x * x * x)))

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · ((1 + t) + x · (1 - t²) · √(2/π) (1 + 3 · 0.044715 x²)) / 2."""
        x = self.input_like(gy)
        t = np.tanh(ROOT * (x + CUBIC * x * x * x))
        steep = x * (1 - t * t) * (ROOT * (1 + 3 * CUBIC * x * x))
        return gy * (0.5 * (1 + t + steep))


ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def sigmoid(x: Any) -> Variable:
    """Elementwise logistic function, y = 1 / (1 + exp(-x)); local derivative dy/dx = y (1 - y)."""
    return apply(Sigmoid(), x)


def relu(x: Any) -> Variable:
    """Elementwise rectifier, y = max(x, 0); local derivative 1 where x > 0, else 0 (also at 0)."""
    return apply(ReLU(), x)


def leaky_relu(x: Any, slope: float = 0.01) -> Variable:
    """Elementwise y = x where x > 0, else slope · x; local derivative 1 or slope (also at 0)."""
    return apply(LeakyReLU(slope), x)


def elu(x: Any, alpha: float = 1.0) -> Variable:
    """Elementwise y = x where x > 0, else alpha · (exp(x) - 1)."""
    return apply(ELU(alpha), x)


def softplus(x: Any) -> Variable:
    """Elementwise y = log(1 + exp(x)), without overflow; local derivative 1 / (1 + exp(-x))."""
    return apply(Softplus(), x)


def silu(x: Any) -> Variable:
    """Elementwise y = x / (1 + exp(-x)), also called swish."""
    return apply(SiLU(), x)


def gelu(x: Any) -> Variable:
    """Elementwise x times the normal distribution function, in the approximation by tanh."""
    return apply(GELU(), x)
