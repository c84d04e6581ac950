"""The functions behind the operators, element by element; they broadcast as numpy does.

What an input was repeated for is summed in its gradient (`sum_to`). Nothing is computed for
constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Constant, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.broadcasting import sum_to


class Add(Function):
    """The class behind `add`."""

    __slots__ = ()
    label = "add"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a + b."""
        return a + b

    def backward(self, gy: Gradient) -> Any:
        """Copy gy to both."""
        a, b = self.inputs_like(gy)
        return sum_to(gy, a.shape), sum_to(gy, b.shape)


class Sub(Function):
    """The class behind `subtract`."""

    __slots__ = ()
    label = "subtract"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a - b."""
        return a - b

    def backward(self, gy: Gradient) -> Any:
        """Copy gy to a, and -gy to b."""
        a, b = self.inputs_like(gy)
        gb = None if type(self._second) is Constant else sum_to(-gy, b.shape)
        return sum_to(gy, a.shape), gb


class Mul(Function):
    """The class behind `multiply`."""

    __slots__ = ()
    label = "multiply"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a · b."""
        return a * b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · b and gy · a."""
        a, b = self.inputs_like(gy)
        ga = None if type(self._first) is Constant else sum_to(gy * b, a.shape)
        gb = None if type(self._second) is Constant else sum_to(gy * a, b.shape)
        return ga, gb


class Div(Function):
    """The class behind `divide`."""

    __slots__ = ()
    label = "divide"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a / b."""
        return a / b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy / b and -gy · a / b²."""
        a, b = self.inputs_like(gy)
        ga = None if type(self._first) is Constant else sum_to(gy / b, a.shape)
        gb = None if type(self._second) is Constant else sum_to(-gy * a / (b * b), b.shape)
        return ga, gb


class Neg(Function):
    """The class behind `negative`."""

    __slots__ = ()
    label = "negative"

    def forward(self, x: Array) -> Any:
        """Compute -x."""
        return -x

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (-1)."""
        return -gy


class Pow(Function):
    """Elementwise power with broadcasting, y = aᵇ; local derivatives b · aᵇ⁻¹ and aᵇ · log(a).

    Where b is 0 the first is 0 (also at a = 0); where a is 0 the second is 0.
    """

    __slots__ = ()
    label = "power"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a to the power of b."""
        return a**b

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · b · aᵇ⁻¹ and gy · aᵇ · log(a)."""
        a, b = self.inputs_like(gy)
        base, exponent = self.inputs
        ga = gb = None
        if type(exponent) is Constant:
            b = exponent._value  # and so is a constant in what this formula records
        if type(base) is not Constant:
            lowered = b - (exponent._value != 0)
            ga = sum_to(gy * (b * a**lowered), a.shape)
        if type(exponent) is not Constant:
            logarithm = np.log(a + (base._value == 0))
            gb = sum_to(gy * self.output_like(gy) * logarithm, b.shape)
        return ga, gb


class FloatPower(Pow):
    """Elementwise power as in `Pow`, computed in float64 also for narrower inputs, as numpy does.

    The gradients come back in the types of the inputs.
    """

    __slots__ = ()
    label = "float_power"

    def forward(self, a: Array, b: Array) -> Any:
        """Compute a to the power of b in float64."""
        return np.float_power(a, b)


@implements(np.negative)
def negative(x: Any) -> Variable:
    """Elementwise negation, y = -x; local derivative dy/dx = -1."""
    return apply(Neg(), x)


@implements(np.add)
def add(a: Any, b: Any) -> Variable:
    """Elementwise sum with broadcasting, y = a + b; local derivatives 1 and 1."""
    return apply(Add(), a, b)


@implements(np.subtract)
def subtract(a: Any, b: Any) -> Variable:
    """Elementwise difference with broadcasting, y = a - b; local derivatives 1 and -1."""
    return apply(Sub(), a, b)


@implements(np.multiply)
def multiply(a: Any, b: Any) -> Variable:
    """Elementwise product with broadcasting, y = a · b; local derivatives b and a."""
    return apply(Mul(), a, b)


@implements(np.divide)
def divide(a: Any, b: Any) -> Variable:
    """Elementwise quotient with broadcasting, y = a / b; local derivatives 1/b and -a/b²."""
    return apply(Div(), a, b)


@implements(np.power)
def power(a: Any, b: Any) -> Variable:
    """Elementwise power with broadcasting, y = aᵇ; 0⁰ = 1, with both local derivatives 0."""
    return apply(Pow(), a, b)


@implements(np.float_power)
def float_power(a: Any, b: Any) -> Variable:
    """Elementwise power with broadcasting, y = aᵇ, computed in float64 as numpy does."""
    return apply(FloatPower(), a, b)
