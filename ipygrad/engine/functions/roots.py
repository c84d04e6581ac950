"""Squares, roots and reciprocals of each element; the same shape out as in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class Square(Function):
    """The class behind `square`."""

    __slots__ = ()
    label = "square"

    def forward(self, x: Array) -> Any:
        """Compute x²."""
        return x * x

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · 2x."""
        x = self.input_like(gy)
        return 2 * x * gy


class Sqrt(Function):
    """The class behind `sqrt`."""

    __slots__ = ()
    label = "sqrt"

    def forward(self, x: Array) -> Any:
        """Compute √x."""
        return np.sqrt(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / 2y."""
        y = self.output_like(gy)
        return gy / (2 * y)


class Cbrt(Function):
    """The class behind `cbrt`."""

    __slots__ = ()
    label = "cbrt"

    def forward(self, x: Array) -> Any:
        """Compute ∛x."""
        return np.cbrt(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / 3y²."""
        y = self.output_like(gy)
        return gy / (3 * y * y)


class Reciprocal(Function):
    """The class behind `reciprocal`."""

    __slots__ = ()
    label = "reciprocal"

    def forward(self, x: Array) -> Any:
        """Compute 1/x."""
        return 1 / x

    def backward(self, gy: Gradient) -> Any:
        """Compute -gy · y²."""
        y = self.output_like(gy)
        return -gy * y * y


@implements(np.square)
def square(x: Any) -> Variable:
    """Elementwise square, y = x²; local derivative dy/dx = 2x."""
    return apply(Square(), x)


@implements(np.sqrt)
def sqrt(x: Any) -> Variable:
    """Elementwise square root, y = √x; local derivative dy/dx = 1/(2y), infinite at x = 0."""
    return apply(Sqrt(), x)


@implements(np.cbrt)
def cbrt(x: Any) -> Variable:
    """Elementwise cube root, y = ∛x; local derivative dy/dx = 1/(3y²), infinite at x = 0."""
    return apply(Cbrt(), x)


@implements(np.reciprocal)
def reciprocal(x: Any) -> Variable:
    """Elementwise reciprocal, y = 1/x; local derivative dy/dx = -1/x² = -y²."""
    return apply(Reciprocal(), x)
