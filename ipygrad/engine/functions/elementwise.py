"""Elementwise functions of one input; arrays of any shape in, the same shape out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class Square(Function):
    """Elementwise square, y = x²; local derivative dy/dx = 2x."""

    __slots__ = ()
    label = "square"

    def forward(self, x: Array) -> Any:
        """Compute x²."""
        return x * x

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · 2x."""
        (x,) = self.inputs_like(gy)
        return 2 * x * gy


class Exp(Function):
    """Elementwise exponential, y = exp(x); local derivative dy/dx = exp(x) = y."""

    __slots__ = ()
    label = "exp"

    def forward(self, x: Array) -> Any:
        """Compute exp(x)."""
        return np.exp(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · exp(x)."""
        (x,) = self.inputs_like(gy)
        return np.exp(x) * gy


class Log(Function):
    """Elementwise natural logarithm, y = log(x); local derivative dy/dx = 1/x."""

    __slots__ = ()
    label = "log"

    def forward(self, x: Array) -> Any:
        """Compute log(x)."""
        return np.log(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / x."""
        (x,) = self.inputs_like(gy)
        return gy / x


class Sin(Function):
    """Elementwise sine, y = sin(x), x in radians; local derivative dy/dx = cos(x)."""

    __slots__ = ()
    label = "sin"

    def forward(self, x: Array) -> Any:
        """Compute sin(x)."""
        return np.sin(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · cos(x)."""
        (x,) = self.inputs_like(gy)
        return gy * np.cos(x)


class Cos(Function):
    """Elementwise cosine, y = cos(x), x in radians; local derivative dy/dx = -sin(x)."""

    __slots__ = ()
    label = "cos"

    def forward(self, x: Array) -> Any:
        """Compute cos(x)."""
        return np.cos(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute -gy · sin(x)."""
        (x,) = self.inputs_like(gy)
        return -gy * np.sin(x)


class Tanh(Function):
    """Elementwise hyperbolic tangent, y = tanh(x); local derivative dy/dx = 1 - y²."""

    __slots__ = ()
    label = "tanh"

    def forward(self, x: Array) -> Any:
        """Compute tanh(x)."""
        return np.tanh(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (1 - y²)."""
        y = self.output_like(gy)
        return gy * (1 - y * y)


class Sqrt(Function):
    """Elementwise square root, y = √x; local derivative dy/dx = 1/(2y), infinite at x = 0."""

    __slots__ = ()
    label = "sqrt"

    def forward(self, x: Array) -> Any:
        """Compute √x."""
        return np.sqrt(x)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / 2y."""
        y = self.output_like(gy)
        return gy / (2 * y)


class Sigmoid(Function):
    """Elementwise logistic function, y = 1 / (1 + exp(-x)); local derivative dy/dx = y (1 - y)."""

    __slots__ = ()
    label = "sigmoid"

    def forward(self, x: Array) -> Any:
        """Compute y by tanh, which does not overflow."""
        return 0.5 * np.tanh(0.5 * x) + 0.5

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · y · (1 - y)."""
        y = self.output_like(gy)
        return gy * y * (1 - y)


class ReLU(Function):
    """Elementwise rectifier, y = max(x, 0); local derivative 1 where x > 0, else 0 (also at 0)."""

    __slots__ = ()
    label = "relu"

    def forward(self, x: Array) -> Any:
        """Compute max(x, 0)."""
        return np.maximum(x, 0)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy where x > 0."""
        x = self.inputs[0]
        return gy * (x > 0).astype(x.dtype)


@implements(np.square)
def square(x: Any) -> Variable:
    """Elementwise square, y = x²; local derivative dy/dx = 2x."""
    y: Variable = apply(Square(), x)
    return y


@implements(np.exp)
def exp(x: Any) -> Variable:
    """Elementwise exponential, y = exp(x); local derivative dy/dx = exp(x) = y."""
    y: Variable = apply(Exp(), x)
    return y


@implements(np.log)
def log(x: Any) -> Variable:
    """Elementwise natural logarithm, y = log(x); local derivative dy/dx = 1/x."""
    y: Variable = apply(Log(), x)
    return y


@implements(np.sin)
def sin(x: Any) -> Variable:
    """Elementwise sine, y = sin(x), x in radians; local derivative dy/dx = cos(x)."""
    y: Variable = apply(Sin(), x)
    return y


@implements(np.cos)
def cos(x: Any) -> Variable:
    """Elementwise cosine, y = cos(x), x in radians; local derivative dy/dx = -sin(x)."""
    y: Variable = apply(Cos(), x)
    return y


@implements(np.tanh)
def tanh(x: Any) -> Variable:
    """Elementwise hyperbolic tangent, y = tanh(x); local derivative dy/dx = 1 - y²."""
    y: Variable = apply(Tanh(), x)
    return y


@implements(np.sqrt)
def sqrt(x: Any) -> Variable:
    """Elementwise square root, y = √x; local derivative dy/dx = 1/(2y), infinite at x = 0."""
    y: Variable = apply(Sqrt(), x)
    return y


def sigmoid(x: Any) -> Variable:
    """Elementwise logistic function, y = 1 / (1 + exp(-x)); local derivative dy/dx = y (1 - y)."""
    y: Variable = apply(Sigmoid(), x)
    return y


def relu(x: Any) -> Variable:
    """Elementwise rectifier, y = max(x, 0); local derivative 1 where x > 0, else 0 (also at 0)."""
    y: Variable = apply(ReLU(), x)
    return y
