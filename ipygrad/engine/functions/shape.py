"""Functions that only rearrange or repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements, sum_to


class Reshape(Function):
    """The same elements in another shape; the gradient goes back into the old one."""

    __slots__ = ("shape",)
    label = "reshape"

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Any:
        """Rearrange."""
        return x.reshape(self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Rearrange back."""
        return np.reshape(gy, self.inputs[0].shape)


class BroadcastTo(Function):
    """Repeat along new axes and axes of length 1; the gradients of the copies are summed."""

    __slots__ = ("shape",)
    label = "broadcast_to"

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Any:
        """Repeat."""
        return np.broadcast_to(x, self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Sum over the copies."""
        return sum_to(gy, self.inputs[0].shape)


@implements(np.reshape)
def reshape(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return the elements of x in `shape`, one length of which may be -1."""
    y: Variable = apply(Reshape(shape), x)
    return y


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return x repeated to `shape` by numpy's broadcasting rules."""
    y: Variable = apply(BroadcastTo(shape), x)
    return y
