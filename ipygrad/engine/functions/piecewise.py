"""Functions with kinks and steps, of each element; the same shape out as in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.broadcasting import sum_to


class Abs(Function):
    """The class behind `abs`."""

    __slots__ = ()
    label = "abs"

    def forward(self, x: Array) -> Any:
        """Compute |x|."""
        return np.abs(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · sign(x)."""
        x = self.input_like(gy)
        return gy * np.sign(x)


class Flat(Function):
    """Base of the functions that do not change between their jumps."""

    __slots__ = ()

    def backward(self, gy: Gradient) -> Any:
        """Give zeros, whatever arrives."""
        return np.zeros(gy.shape, gy.dtype)


class Sign(Flat):
    """The class behind `sign`."""

    __slots__ = ()
    label = "sign"

    def forward(self, x: Array) -> Any:
        """Compute the sign."""
        return np.sign(x)


class Floor(Flat):
    """The class behind `floor`."""

    __slots__ = ()
    label = "floor"

    def forward(self, x: Array) -> Any:
        """Compute ⌊x⌋."""
        return np.floor(x)


class Ceil(Flat):
    """The class behind `ceil`."""

    __slots__ = ()
    label = "ceil"

    def forward(self, x: Array) -> Any:
        """Compute ⌈x⌉."""
        return np.ceil(x)


class Rint(Flat):
    """The class behind `rint`."""

    __slots__ = ()
    label = "rint"

    def forward(self, x: Array) -> Any:
        """Compute the nearest whole number."""
        return np.rint(x)


class Clip(Function):
    """Limit to a range, y = min(max(x, low), high); local derivative 1 inside and at the limits.

    Parameters
    ----------
    low, high
        Numbers or arrays, constants all of them; None for no limit.
    """

    __slots__ = ("high", "low")
    label = "clip"

    def __init__(self, low: Any = None, high: Any = None) -> None:
        if isinstance(low, Variable) or isinstance(high, Variable):
            raise TypeError(
                "clip takes its limits as constants: pass their .data, or use np.minimum and "
                "np.maximum, which give gradients to the limits, too"
            )
        self.low = low
        self.high = high

    def forward(self, x: Array) -> Any:
        """Compute min(max(x, low), high)."""
        return np.clip(x, self.low, self.high)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy where x is not beyond a limit."""
        x = self.inputs[0]
        beyond = np.zeros(gy.shape, bool)
        if self.low is not None:
            beyond = beyond | (x < self.low)
        if self.high is not None:
            beyond = beyond | (x > self.high)
        return sum_to(gy * ~beyond, x.shape)


@implements(np.abs)
def abs(x: Any) -> Variable:  # noqa: A001 - numpy's name
    """Elementwise absolute value, y = |x|; local derivative the sign of x, so 0 at 0."""
    return apply(Abs(), x)


@implements(np.sign)
def sign(x: Any) -> Variable:
    """Elementwise sign, -1, 0 or 1; local derivative 0 everywhere (at the step, too)."""
    return apply(Sign(), x)


@implements(np.floor)
def floor(x: Any) -> Variable:
    """Elementwise next whole number below; local derivative 0 everywhere (at the steps, too)."""
    return apply(Floor(), x)


@implements(np.ceil)
def ceil(x: Any) -> Variable:
    """Elementwise next whole number above; local derivative 0 everywhere (at the steps, too)."""
    return apply(Ceil(), x)


@implements(np.rint)
def rint(x: Any) -> Variable:
    """Elementwise nearest whole number, halves to the even one; local derivative 0 everywhere."""
    return apply(Rint(), x)


@implements(np.clip)
def clip(
    x: Any,
    a_min: Any = None,
    a_max: Any = None,
    *,
    min: Any = None,  # noqa: A002 - numpy's name
    max: Any = None,  # noqa: A002 - numpy's name
) -> Variable:
    """Limit to a range, y = min(max(x, low), high); local derivative 1 inside and at the limits."""
    return apply(Clip(a_min if min is None else min, a_max if max is None else max), x)
