"""Functions of two inputs, element by element, that broadcast as numpy does."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.broadcasting import sum_to
from ipygrad.engine.functions.reduction import nonzero


class Maximum(Function):
    """The larger of two, element by element; it gets the gradient, and each half of it in a tie."""

    __slots__ = ()
    label = "maximum"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute max(a, b)."""
        return np.maximum(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Give gy to the larger one."""
        a, b = (x._value for x in self.inputs)
        return _shared(gy, a > b, a == b, a.shape, b.shape)


class Minimum(Function):
    """The smaller of two, element by element; it gets the gradient, and each half in a tie."""

    __slots__ = ()
    label = "minimum"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute min(a, b)."""
        return np.minimum(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Give gy to the smaller one."""
        a, b = (x._value for x in self.inputs)
        return _shared(gy, a < b, a == b, a.shape, b.shape)


def _shared(
    gy: Any, is_first: Any, is_tie: Any, a_shape: tuple[int, ...], b_shape: tuple[int, ...]
) -> tuple[Any, Any]:
    # As a share of the gradient, so that a nan on either side goes on to the second input.
    share = np.asarray(is_first + 0.5 * is_tie).astype(gy.dtype)
    return sum_to(gy * share, a_shape), sum_to(gy * (1 - share), b_shape)


class Arctan2(Function):
    """The class behind `arctan2`."""

    __slots__ = ()
    label = "arctan2"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the angle."""
        return np.arctan2(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · b / r² and -gy · a / r², where r² = a² + b²."""
        a, b = self.inputs_like(gy)
        scaled = gy / (a * a + b * b)
        return sum_to(scaled * b, a.shape), sum_to(-scaled * a, b.shape)


class Hypot(Function):
    """The class behind `hypot`."""

    __slots__ = ()
    label = "hypot"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute the length."""
        return np.hypot(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · a / y and gy · b / y."""
        a, b = self.inputs_like(gy)
        scaled = gy / nonzero(self, gy)
        return sum_to(scaled * a, a.shape), sum_to(scaled * b, b.shape)


class LogAddExp(Function):
    """Elementwise y = log(exp(a) + exp(b)); local derivatives exp(a - y) and exp(b - y)."""

    __slots__ = ()
    label = "logaddexp"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute log(exp(a) + exp(b))."""
        return np.logaddexp(a, b)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · exp(a - y) and gy · exp(b - y)."""
        a, b = self.inputs_like(gy)
        y = self.output_like(gy)
        return sum_to(gy * np.exp(a - y), a.shape), sum_to(gy * np.exp(b - y), b.shape)


class Where(Function):
    """Choose a where the condition holds, else b; what was chosen gets the gradient.

    Parameters
    ----------
    condition
        Array of booleans, a constant.
    """

    __slots__ = ("condition",)
    label = "where"

    def __init__(self, condition: Any) -> None:
        if isinstance(condition, Variable):
            condition = condition._value != 0
        self.condition = np.asarray(condition).astype(bool)

    def forward(self, a: Array, b: Array) -> Any:
        """Choose."""
        return np.where(self.condition, a, b)

    def backward(self, gy: Gradient) -> Any:
        """Give gy to what was chosen, and 0 to the other."""
        a, b = self.inputs
        # Chosen and not multiplied: an infinite gradient stays away from what was not chosen.
        ga, gb = np.where(self.condition, gy, 0), np.where(self.condition, 0, gy)
        return sum_to(ga, a.shape), sum_to(gb, b.shape)


@implements(np.maximum)
def maximum(a: Any, b: Any) -> Variable:
    """Return the larger of two, element by element; in a tie each gets half of the gradient."""
    return apply(Maximum(), a, b)


@implements(np.minimum)
def minimum(a: Any, b: Any) -> Variable:
    """Return the smaller of two, element by element; in a tie each gets half of the gradient."""
    return apply(Minimum(), a, b)


@implements(np.arctan2)
def arctan2(a: Any, b: Any) -> Variable:
    """Angle of the point (b, a) in radians, -π to π; local derivatives b/r² and -a/r²."""
    return apply(Arctan2(), a, b)


@implements(np.hypot)
def hypot(a: Any, b: Any) -> Variable:
    """Elementwise length y = √(a² + b²); local derivatives a/y and b/y, and 0 where y is 0."""
    return apply(Hypot(), a, b)


@implements(np.logaddexp)
def logaddexp(a: Any, b: Any) -> Variable:
    """Elementwise y = log(exp(a) + exp(b)), computed without overflow."""
    return apply(LogAddExp(), a, b)


@implements(np.where)
def where(condition: Any, a: Any, b: Any) -> Variable:
    """Choose a where the condition holds, else b; what was chosen gets the gradient."""
    return apply(Where(condition), a, b)
