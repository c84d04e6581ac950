"""Functions that join arrays, take them apart, and repeat them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements
from ipygrad.engine.functions.indexing import scatter


class Concatenate(Function):
    """Arrays one after another along an axis; each gets its own part of the gradient.

    Parameters
    ----------
    axis
        Along which; None for all elements in a row.
    """

    __slots__ = ("axis",)
    label = "concatenate"

    def __init__(self, axis: int | None = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Array) -> Any:
        """Join."""
        return np.concatenate(xs, axis=self.axis)

    def backward(self, gy: Any) -> Any:
        """Cut gy into the parts."""
        axis = 0 if self.axis is None else self.axis % gy.ndim
        parts = []
        start = 0
        for x in self.inputs:
            end = start + (x.size if self.axis is None else x.shape[axis])
            part = gy[(*(slice(None),) * axis, slice(start, end))]
            parts.append(np.reshape(part, x.shape))
            start = end
        return parts


class Stack(Function):
    """Arrays of one shape along a new axis; each gets its own part of the gradient.

    Parameters
    ----------
    axis
        Where the new axis stands in the result.
    """

    __slots__ = ("axis",)
    label = "stack"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Array) -> Any:
        """Join."""
        return np.stack(xs, axis=self.axis)

    def backward(self, gy: Any) -> Any:
        """Take gy apart."""
        before = (slice(None),) * (self.axis % gy.ndim)
        return tuple([np.reshape(gy[(*before, i)], x.shape) for i, x in enumerate(self.inputs)])


class Split(Function):
    """An array cut into parts along an axis, one output each; their gradients are joined again.

    Parameters
    ----------
    sections
        Number of equal parts, or the positions of the cuts.
    axis
        Along which.
    """

    __slots__ = ("axis", "sections")
    label = "split"

    def __init__(self, sections: Any, axis: int = 0) -> None:
        self.sections = sections
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Cut."""
        return tuple(np.split(x, self.sections, axis=self.axis))

    def backward(self, *gys: Gradient) -> Any:
        """Join."""
        return np.concatenate(gys, axis=self.axis)


class Repeat(Function):
    """Each element several times, one after another; the gradients of the copies are summed.

    Parameters
    ----------
    repeats
        How many times, for all or for each element along the axis.
    axis
        Along which; None for all elements in a row.
    """

    __slots__ = ("axis", "repeats")
    label = "repeat"

    def __init__(self, repeats: Any, axis: int | None = None) -> None:
        self.repeats = repeats
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Repeat."""
        return np.repeat(x, self.repeats, axis=self.axis)

    def backward(self, gy: Gradient) -> Any:
        """Sum over the copies."""
        x = self.inputs[0]
        shape = (x.size,) if self.axis is None else x.shape
        axis = 0 if self.axis is None else self.axis % x.ndim
        origin = np.repeat(np.arange(shape[axis]), self.repeats)
        return np.reshape(scatter(gy, (*(slice(None),) * axis, origin), shape), x.shape)


class Tile(Function):
    """The whole array several times, as tiles are laid; the gradients of the copies are summed.

    Parameters
    ----------
    repeats
        How many times along the last axis, or along each of the last axes.
    """

    __slots__ = ("repeats",)
    label = "tile"

    def __init__(self, repeats: Any) -> None:
        self.repeats = (repeats,) if np.ndim(repeats) == 0 else tuple(repeats)

    def forward(self, x: Array) -> Any:
        """Lay the tiles."""
        return np.tile(x, self.repeats)

    def backward(self, gy: Gradient) -> Any:
        """Sum over the tiles."""
        shape = self.inputs[0].shape
        ndim = max(len(shape), len(self.repeats))
        lengths = (1,) * (ndim - len(shape)) + shape
        repeats = (1,) * (ndim - len(self.repeats)) + self.repeats
        pairs = [n for pair in zip(repeats, lengths, strict=True) for n in pair]
        summed = np.sum(np.reshape(gy, pairs), axis=tuple(range(0, 2 * ndim, 2)))
        return np.reshape(summed, shape)


class Pad(Function):
    """The array with a margin of a constant value; the margin's gradient is dropped.

    Parameters
    ----------
    width
        As for `numpy.pad`: a number, (before, after), or such a pair for each axis.
    value
        What fills the margin.
    """

    __slots__ = ("value", "width")
    label = "pad"

    def __init__(self, width: Any, value: float = 0) -> None:
        self.width = width
        self.value = value

    def forward(self, x: Array) -> Any:
        """Add the margin."""
        return np.pad(x, self.width, constant_values=self.value)

    def backward(self, gy: Gradient) -> Any:
        """Drop the margin."""
        shape = self.inputs[0].shape
        widths = np.broadcast_to(np.asarray(self.width), (len(shape), 2))
        inside = [slice(int(w[0]), int(w[0]) + n) for w, n in zip(widths, shape, strict=True)]
        return gy[tuple(inside)]


@implements(np.concatenate)
def concatenate(xs: Any, axis: int | None = 0) -> Variable:
    """Join arrays one after another along an axis."""
    return apply(Concatenate(axis), *xs)


@implements(np.stack)
def stack(xs: Any, axis: int = 0) -> Variable:
    """Join arrays of one shape along a new axis."""
    return apply(Stack(axis), *xs)


@implements(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> tuple[Variable, ...]:
    """Cut x into parts along an axis; return one Variable for each."""
    parts: Any = apply(Split(indices_or_sections, axis), x)
    return tuple(parts)


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Variable:
    """Repeat each element of x, along an axis or (None) in a row."""
    return apply(Repeat(repeats, axis), x)


@implements(np.tile)
def tile(x: Any, reps: Any) -> Variable:
    """Lay copies of x side by side."""
    return apply(Tile(reps), x)


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Variable:
    """Return x with a margin of a constant value around it.

    Raises
    ------
    TypeError
        For modes other than ``"constant"``, and for a margin of several values.
    """
    if mode != "constant" or np.ndim(constant_values) or isinstance(constant_values, Variable):
        raise TypeError(
            "pad has a derivative here for a margin of one constant value only: for others use "
            "np.concatenate"
        )
    return apply(Pad(pad_width, constant_values), x)
