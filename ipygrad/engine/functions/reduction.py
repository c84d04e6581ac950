"""Functions that take many numbers to few."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class Sum(Function):
    """Sum over axes; each element has local derivative 1 and gets a copy of the gradient.

    Parameters
    ----------
    axis
        One axis, several, or None for all of them.
    keepdims
        Whether the summed axes stay, with length 1.
    """

    __slots__ = ("axis", "keepdims")
    label = "sum"

    def __init__(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, x: Array) -> Any:
        """Compute the sum."""
        return x.sum(axis=self.axis, keepdims=self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Copy gy along the axes that were summed."""
        shape = self.inputs[0].shape
        axes = range(len(shape)) if self.axis is None else np.atleast_1d(self.axis) % len(shape)
        kept = tuple(1 if i in axes else length for i, length in enumerate(shape))
        return np.broadcast_to(np.reshape(gy, kept), shape)


@implements(np.sum)
def sum(  # noqa: A001 - numpy's name
    x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> Variable:
    """Sum of the elements of x over `axis` (all axes for None)."""
    y: Variable = apply(Sum(axis, keepdims), x)
    return y
