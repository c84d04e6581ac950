"""Exponentials and logarithms of each element; the same shape out as in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements

LOG_2 = math.log(2.0)
LOG_10 = math.log(10.0)


class Exp(Function):
    """The class behind `exp`."""

    __slots__ = ()
    label = "exp"

    def forward(self, x: Array) -> Any:
        """Compute exp(x)."""
        return np.exp(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · y."""
        y = self.output_like(gy)
        return gy * y


class Exp2(Function):
    """The class behind `exp2`."""

    __slots__ = ()
    label = "exp2"

    def forward(self, x: Array) -> Any:
        """Compute 2ˣ."""
        return np.exp2(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · y · log(2)."""
        y = self.output_like(gy)
        return gy * (y * LOG_2)


class Expm1(Function):
    """The class behind `expm1`."""

    __slots__ = ()
    label = "expm1"

    def forward(self, x: Array) -> Any:
        """Compute exp(x) - 1."""
        return np.expm1(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · exp(x)."""
        x = self.input_like(gy)
        return gy * np.exp(x)


class Log(Function):
    """The class behind `log`."""

    __slots__ = ()
    label = "log"

    def forward(self, x: Array) -> Any:
        """Compute log(x)."""
        return np.log(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / x."""
        x = self.input_like(gy)
        return gy / x


class Log2(Function):
    """The class behind `log2`."""

    __slots__ = ()
    label = "log2"

    def forward(self, x: Array) -> Any:
        """Compute log₂(x)."""
        return np.log2(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (x · log(2))."""
        x = self.input_like(gy)
        return gy / (x * LOG_2)


class Log10(Function):
    """The class behind `log10`."""

    __slots__ = ()
    label = "log10"

    def forward(self, x: Array) -> Any:
        """Compute log₁₀(x)."""
        return np.log10(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (x · log(10))."""
        x = self.input_like(gy)
        return gy / (x * LOG_10)


class Log1p(Function):
    """The class behind `log1p`."""

    __slots__ = ()
    label = "log1p"

    def forward(self, x: Array) -> Any:
        """Compute log(1 + x)."""
        return np.log1p(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (1 + x)."""
        x = self.input_like(gy)
        return gy / (1 + x)


@implements(np.exp)
def exp(x: Any) -> Variable:
    """Elementwise exponential, y = exp(x); local derivative dy/dx = exp(x) = y."""
    return apply(Exp(), x)


@implements(np.exp2)
def exp2(x: Any) -> Variable:
    """Elementwise power of two, y = 2ˣ; local derivative dy/dx = y · log(2)."""
    return apply(Exp2(), x)


@implements(np.expm1)
def expm1(x: Any) -> Variable:
    """Elementwise y = exp(x) - 1, exact near 0; local derivative dy/dx = exp(x)."""
    return apply(Expm1(), x)


@implements(np.log)
def log(x: Any) -> Variable:
    """Elementwise natural logarithm, y = log(x); local derivative dy/dx = 1/x."""
    return apply(Log(), x)


@implements(np.log2)
def log2(x: Any) -> Variable:
    """Elementwise logarithm to base 2; local derivative dy/dx = 1 / (x · log(2))."""
    return apply(Log2(), x)


@implements(np.log10)
def log10(x: Any) -> Variable:
    """Elementwise logarithm to base 10; local derivative dy/dx = 1 / (x · log(10))."""
    return apply(Log10(), x)


@implements(np.log1p)
def log1p(x: Any) -> Variable:
    """Elementwise y = log(1 + x), exact near 0; local derivative dy/dx = 1 / (1 + x)."""
    return apply(Log1p(), x)
