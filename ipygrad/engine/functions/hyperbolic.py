"""Hyperbolic functions and their inverses; the same shape out as in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.arrays import one_minus
from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class Sinh(Function):
    """The class behind `sinh`."""

    __slots__ = ()
    label = "sinh"

    def forward(self, x: Array) -> Any:
        """Compute sinh(x)."""
        return np.sinh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · cosh(x)."""
        x = self.input_like(gy)
        return gy * np.cosh(x)


class Cosh(Function):
    """The class behind `cosh`."""

    __slots__ = ()
    label = "cosh"

    def forward(self, x: Array) -> Any:
        """Compute cosh(x)."""
        return np.cosh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · sinh(x)."""
        x = self.input_like(gy)
        return gy * np.sinh(x)


class Tanh(Function):
    """The class behind `tanh`."""

    __slots__ = ()
    label = "tanh"

    def forward(self, x: Array) -> Any:
        """Compute tanh(x)."""
        return np.tanh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (1 - y²)."""
        y = self.output_like(gy)
        slope = one_minus(y * y)
        slope *= gy
        return slope


class Arcsinh(Function):
    """The class behind `arcsinh`."""

    __slots__ = ()
    label = "arcsinh"

    def forward(self, x: Array) -> Any:
        """Compute arcsinh(x)."""
        return np.arcsinh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / √(x² + 1)."""
        x = self.input_like(gy)
        return gy / np.sqrt(x * x + 1)


class Arccosh(Function):
    """The class behind `arccosh`."""

    __slots__ = ()
    label = "arccosh"

    def forward(self, x: Array) -> Any:
        """Compute arccosh(x)."""
        return np.arccosh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / √(x² - 1)."""
        x = self.input_like(gy)
        return gy / np.sqrt(x * x - 1)


class Arctanh(Function):
    """The class behind `arctanh`."""

    __slots__ = ()
    label = "arctanh"

    def forward(self, x: Array) -> Any:
        """Compute arctanh(x)."""
        return np.arctanh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (1 - x²)."""
        x = self.input_like(gy)
        return gy / one_minus(x * x)


@implements(np.sinh)
def sinh(x: Any) -> Variable:
    """Elementwise hyperbolic sine, y = sinh(x); local derivative dy/dx = cosh(x)."""
    return apply(Sinh(), x)


@implements(np.cosh)
def cosh(x: Any) -> Variable:
    """Elementwise hyperbolic cosine, y = cosh(x); local derivative dy/dx = sinh(x)."""
    return apply(Cosh(), x)


@implements(np.tanh)
def tanh(x: Any) -> Variable:
    """Elementwise hyperbolic tangent, y = tanh(x); local derivative dy/dx = 1 - y²."""
    return apply(Tanh(), x)


@implements(np.arcsinh)
def arcsinh(x: Any) -> Variable:
    """Elementwise inverse of sinh; local derivative dy/dx = 1/√(x² + 1)."""
    return apply(Arcsinh(), x)


@implements(np.arccosh)
def arccosh(x: Any) -> Variable:
    """Elementwise inverse of cosh for x ≥ 1; local derivative dy/dx = 1/√(x² - 1)."""
    return apply(Arccosh(), x)


@implements(np.arctanh)
def arctanh(x: Any) -> Variable:
    """Elementwise inverse of tanh for |x| < 1; local derivative dy/dx = 1/(1 - x²)."""
    return apply(Arctanh(), x)
