"""Repeating along axes, as numpy does when shapes differ, and summing what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


def sum_to(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the axes along which an input of `shape` was broadcast, so that it fits again."""
    if gradient.shape == shape:
        return gradient
    if isinstance(gradient, Variable):
        return apply(SumTo(shape), gradient)
    return _sum_array_to(gradient, shape)


def _sum_array_to(array: Array, shape: tuple[int, ...]) -> Array:
    added = array.ndim - len(shape)
    stretched = tuple(
        i + added for i, length in enumerate(shape) if length == 1 and array.shape[i + added] != 1
    )
    total: Array = array.sum(axis=(*range(added), *stretched), keepdims=True)
    return total.reshape(shape)


class SumTo(Function):
    """Sum over the axes along which `shape` was broadcast; the gradient is copied to each."""

    __slots__ = ("shape",)
    label = "sum_to"

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Array:
        """Compute the sum."""
        return _sum_array_to(x, self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Copy each gradient back to what was summed."""
        return np.broadcast_to(gy, self.inputs[0].shape)


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


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return x repeated to `shape` by numpy's broadcasting rules."""
    return apply(BroadcastTo(shape), x)
