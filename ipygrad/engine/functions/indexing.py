"""Functions that pick elements, and the one that puts gradients back where they were picked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Function, Gradient, Variable, apply, implements


class GetItem(Function):
    """Elements by index, y = x[index]; what was picked several times gets the sum.

    Parameters
    ----------
    index
        Slices, integers, arrays of integers, masks, None and ..., as for arrays. Constants.
    """

    __slots__ = ("index",)
    label = "getitem"

    def __init__(self, index: Any) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, Variable) for part in parts):
            raise TypeError(
                "getitem takes no Variable as an index, an index has no derivative: pass its .data "
                "as integers, or a comparison such as x > 0"
            )
        # The user may change an array after using it as an index.
        copied = [part.copy() if isinstance(part, np.ndarray) else part for part in parts]
        self.index = tuple(copied) if isinstance(index, tuple) else copied[0]

    def forward(self, x: Array) -> Any:
        """Pick."""
        return np.asarray(x)[self.index]

    def backward(self, gy: Gradient) -> Any:
        """Put gy back where it was picked, and zeros elsewhere."""
        return scatter(gy, self.index, self.inputs[0].shape)


def scatter(gradient: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with the gradient added at `index`."""
    if isinstance(gradient, Variable):
        return apply(GetItemGrad(index, shape), gradient)
    return _scatter_array(gradient, index, shape)


def _scatter_array(gradient: Any, index: Any, shape: tuple[int, ...]) -> Array:
    whole = np.zeros(shape, gradient.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if all(isinstance(part, (int, slice, type(None), type(...))) for part in parts):
        whole[index] = gradient
    else:
        np.add.at(whole, index, gradient)
    return whole


class GetItemGrad(Function):
    """Zeros with the elements added at an index: what goes backward through `GetItem`."""

    __slots__ = ("index", "shape")
    label = "getitem_grad"

    def __init__(self, index: Any, shape: tuple[int, ...]) -> None:
        self.index = index
        self.shape = shape

    def forward(self, x: Array) -> Any:
        """Put them there."""
        return _scatter_array(x, self.index, self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Pick them again."""
        return gy[self.index]


class TakeAlongAxis(Function):
    """Elements by an array of indices along one axis, as `argsort` and `argmax` give them.

    Parameters
    ----------
    indices
        Integers; along the other axes of the input's shape, or broadcast to it.
    axis
        Along which they count; None for all elements in a row.
    """

    __slots__ = ("axis", "indices")
    label = "take_along_axis"

    def __init__(self, indices: Any, axis: int | None = -1) -> None:
        self.indices = np.array(indices)
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Pick."""
        return np.take_along_axis(x, self.indices, self.axis)

    def backward(self, gy: Gradient) -> Any:
        """Put gy back where it was picked, and zeros elsewhere."""
        shape = self.inputs[0].shape
        if self.axis is None:
            flat = scatter(gy, (self.indices,), (self.inputs[0].size,))
            return np.reshape(flat, shape)
        axis = self.axis % len(shape)
        index: list[Any] = list(np.ogrid[tuple(slice(length) for length in shape)])
        index[axis] = self.indices
        return scatter(gy, tuple(index), shape)


class Diagonal(Function):
    """Diagonal of the matrices that two axes make; the others get no gradient.

    Parameters
    ----------
    offset
        How far above the main diagonal.
    axis1, axis2
        The axes of the matrices.
    """

    __slots__ = ("axis1", "axis2", "offset")
    label = "diagonal"

    def __init__(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> None:
        self.offset = offset
        self.axis1 = axis1
        self.axis2 = axis2

    def forward(self, x: Array) -> Any:
        """Pick the diagonal."""
        return np.diagonal(x, self.offset, self.axis1, self.axis2)

    def backward(self, gy: Gradient) -> Any:
        """Put gy back on the diagonal."""
        return self.on_diagonal(gy)

    def on_diagonal(self, gy: Any) -> Any:
        """Return matrices of the input's shape with gy, along its last axis, on the diagonal."""
        shape = self.inputs[0].shape
        first, second = self.axis1 % len(shape), self.axis2 % len(shape)
        others = [length for i, length in enumerate(shape) if i not in (first, second)]
        rows, columns = shape[first], shape[second]
        i = np.arange(rows)
        i = i[(i + self.offset >= 0) & (i + self.offset < columns)]
        matrices = scatter(gy, (..., i, i + self.offset), (*others, rows, columns))
        return np.moveaxis(matrices, (-2, -1), (first, second))


class Trace(Diagonal):
    """Sum of the diagonal of the matrices that two axes make; each on it has local derivative 1."""

    __slots__ = ()
    label = "trace"

    def forward(self, x: Array) -> Any:
        """Sum the diagonal."""
        return np.trace(x, self.offset, self.axis1, self.axis2)

    def backward(self, gy: Gradient) -> Any:
        """Put gy on the diagonal."""
        shape = self.inputs[0].shape
        like = np.broadcast_to(0.0, shape)
        length = np.diagonal(like, self.offset, self.axis1, self.axis2).shape[-1]
        column = np.reshape(gy, (*gy.shape, 1))
        return self.on_diagonal(np.broadcast_to(column, (*gy.shape, length)))


@implements("getitem")
def getitem(x: Any, index: Any) -> Variable:
    """Return x[index], by slices, integers, arrays of integers and masks."""
    return apply(GetItem(index), x)


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Variable:
    """Return the elements of x at `indices` along `axis`."""
    return apply(TakeAlongAxis(indices, axis), x)


@implements(np.diagonal)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """Return the diagonals of the matrices in x, along the last axis of the result."""
    return apply(Diagonal(offset, axis1, axis2), x)


@implements(np.trace)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """Sum of the diagonals of the matrices in x."""
    return apply(Trace(offset, axis1, axis2), x)
