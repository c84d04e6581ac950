"""Sines, cosines, tangents and their inverses, in radians; the same shape out as in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.arrays import one_minus
from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class Sin(Function):
    """The class behind `sin`."""

    __slots__ = ()
    label = "sin"

    def forward(self, x: Array) -> Any:
        """Compute sin(x)."""
        return np.sin(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · cos(x)."""
        x = self.input_like(gy)
        return gy * np.cos(x)


class Cos(Function):
    """The class behind `cos`."""

    __slots__ = ()
    label = "cos"

    def forward(self, x: Array) -> Any:
        """Compute cos(x)."""
        return np.cos(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute -gy · sin(x)."""
        x = self.input_like(gy)
        return -gy * np.sin(x)


class Tan(Function):
    """The class behind `tan`."""

    __slots__ = ()
    label = "tan"

    def forward(self, x: Array) -> Any:
        """Compute tan(x)."""
        return np.tan(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (1 + y²)."""
        y = self.output_like(gy)
        return gy * (1 + y * y)


class Arcsin(Function):
    """The class behind `arcsin`."""

    __slots__ = ()
    label = "arcsin"

    def forward(self, x: Array) -> Any:
        """Compute arcsin(x)."""
        return np.arcsin(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / √(1 - x²)."""
        x = self.input_like(gy)
        return gy / np.sqrt(one_minus(x * x))


class Arccos(Function):
    """The class behind `arccos`."""

    __slots__ = ()
    label = "arccos"

    def forward(self, x: Array) -> Any:
        """Compute arccos(x)."""
        return np.arccos(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute -gy / √(1 - x²)."""
        x = self.input_like(gy)
        return -gy / np.sqrt(one_minus(x * x))


class Arctan(Function):
    """The class behind `arctan`."""

    __slots__ = ()
    label = "arctan"

    def forward(self, x: Array) -> Any:
        """Compute arctan(x)."""
        return np.arctan(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / (1 + x²)."""
        x = self.input_like(gy)
        return gy / (1 + x * x)


@implements(np.sin)
def sin(x: Any) -> Variable:
    """Elementwise sine, y = sin(x), x in radians; local derivative dy/dx = cos(x)."""
    return apply(Sin(), x)


@implements(np.cos)
def cos(x: Any) -> Variable:
    """Elementwise cosine, y = cos(x), x in radians; local derivative dy/dx = -sin(x)."""
    return apply(Cos(), x)


@implements(np.tan)
def tan(x: Any) -> Variable:
    """Elementwise tangent, y = tan(x), x in radians; local derivative dy/dx = 1 + y²."""
    return apply(Tan(), x)


@implements(np.arcsin)
def arcsin(x: Any) -> Variable:
    """Elementwise arcsine, in radians; local derivative dy/dx = 1/√(1 - x²), infinite at ±1."""
    return apply(Arcsin(), x)


@implements(np.arccos)
def arccos(x: Any) -> Variable:
    """Elementwise arccosine, in radians; local derivative dy/dx = -1/√(1 - x²), infinite at ±1."""
    return apply(Arccos(), x)


@implements(np.arctan)
def arctan(x: Any) -> Variable:
    """Elementwise arctangent, in radians; local derivative dy/dx = 1/(1 + x²)."""
    return apply(Arctan(), x)
