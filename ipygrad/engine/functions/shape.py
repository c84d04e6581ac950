"""Functions that only rearrange: the same elements, and the gradients go back to their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ipygrad.engine.core import Array, Axes, Function, Gradient, Variable, apply, implements


class Reshape(Function):
    """The same elements in another shape; the gradient goes back into the old one.

    Parameters
    ----------
    shape
        One length of it may be -1: what is left.
    """

    __slots__ = ("shape",)
    label = "reshape"

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Any:
        """Rearrange."""
        return np.reshape(x, self.shape)

    def backward(self, gy: Gradient) -> Any:
        """Rearrange back."""
        return np.reshape(gy, self.inputs[0].shape)


class Ravel(Reshape):
    """All elements in a row."""

    __slots__ = ()
    label = "ravel"

    def __init__(self) -> None:
        super().__init__(-1)


class Squeeze(Reshape):
    """The array without its axes of length 1, or without some of them.

    Parameters
    ----------
    axis
        Which ones; None for all of length 1.
    """

    __slots__ = ("axis",)
    label = "squeeze"

    def __init__(self, axis: Axes = None) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Drop the axes."""
        return np.squeeze(x, self.axis)


class ExpandDims(Reshape):
    """The array with new axes of length 1.

    Parameters
    ----------
    axis
        Where they stand in the result.
    """

    __slots__ = ("axis",)
    label = "expand_dims"

    def __init__(self, axis: Any) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Add the axes."""
        return np.expand_dims(x, self.axis)


class Transpose(Function):
    """The axes in another order; the gradient's go back to the old one.

    Parameters
    ----------
    axes
        For each axis of the result, which of the input's it is; None to reverse them.
    """

    __slots__ = ("axes",)
    label = "transpose"

    def __init__(self, axes: Any = None) -> None:
        self.axes = axes

    def forward(self, x: Array) -> Any:
        """Reorder."""
        return np.transpose(x, self.axes)

    def backward(self, gy: Gradient) -> Any:
        """Put back in order."""
        if self.axes is None:
            return np.transpose(gy)
        return np.transpose(gy, np.argsort([axis % gy.ndim for axis in self.axes]).tolist())


class Swapaxes(Function):
    """Two axes exchanged; the gradient's are exchanged back."""

    __slots__ = ("axis1", "axis2")
    label = "swapaxes"

    def __init__(self, axis1: int, axis2: int) -> None:
        self.axis1 = axis1
        self.axis2 = axis2

    def forward(self, x: Array) -> Any:
        """Exchange."""
        return np.swapaxes(x, self.axis1, self.axis2)

    def backward(self, gy: Gradient) -> Any:
        """Exchange back."""
        return np.swapaxes(gy, self.axis1, self.axis2)


class Moveaxis(Function):
    """Axes moved to other places, the rest in order; the gradient's are moved back."""

    __slots__ = ("destination", "source")
    label = "moveaxis"

    def __init__(self, source: Any, destination: Any) -> None:
        self.source = source
        self.destination = destination

    def forward(self, x: Array) -> Any:
        """Move."""
        return np.moveaxis(x, self.source, self.destination)

    def backward(self, gy: Any) -> Any:
        """Move back."""
        return np.moveaxis(gy, self.destination, self.source)


class Flip(Function):
    """The elements in reverse order along axes; the gradient is reversed back.

    Parameters
    ----------
    axis
        Along which; None for all.
    """

    __slots__ = ("axis",)
    label = "flip"

    def __init__(self, axis: Axes = None) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Reverse."""
        return np.flip(x, self.axis)

    def backward(self, gy: Gradient) -> Any:
        """Reverse back."""
        return np.flip(gy, self.axis)


class Roll(Function):
    """The elements shifted along axes, the last coming first; the gradient is shifted back.

    Parameters
    ----------
    shift
        By how many places; a tuple for several axes.
    axis
        Along which; None for all elements in a row.
    """

    __slots__ = ("axis", "shift")
    label = "roll"

    def __init__(self, shift: Any, axis: Any = None) -> None:
        self.shift = shift
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Shift."""
        return np.roll(x, self.shift, self.axis)

    def backward(self, gy: Gradient) -> Any:
        """Shift back."""
        back = tuple(-s for s in self.shift) if isinstance(self.shift, tuple) else -self.shift
        return np.roll(gy, back, self.axis)


class AsType(Function):
    """The same numbers in another floating-point type; the gradient comes back in the old one.

    Parameters
    ----------
    dtype
        float16, float32, float64 or longdouble.
    """

    __slots__ = ("dtype",)
    label = "astype"

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype.kind != "f":
            raise TypeError(
                f"astype to {self.dtype.name} has no derivative: choose a floating-point type, or "
                "convert x.data"
            )

    def forward(self, x: Array) -> Any:
        """Convert."""
        return x.astype(self.dtype)

    def backward(self, gy: Gradient) -> Any:
        """Convert back."""
        return gy.astype(self.inputs[0].dtype)


@implements(np.reshape)
def reshape(x: Any, shape: int | tuple[int, ...]) -> Variable:
    """Return the elements of x in `shape`, one length of which may be -1."""
    return apply(Reshape(shape), x)


@implements(np.ravel)
def ravel(x: Any) -> Variable:
    """Return the elements of x in a row."""
    return apply(Ravel(), x)


@implements(np.squeeze)
def squeeze(x: Any, axis: Axes = None) -> Variable:
    """Return x without its axes of length 1, or without those in `axis`."""
    return apply(Squeeze(axis), x)


@implements(np.expand_dims)
def expand_dims(x: Any, axis: Any) -> Variable:
    """Return x with new axes of length 1, which stand at `axis` in the result."""
    return apply(ExpandDims(axis), x)


@implements(np.transpose)
def transpose(x: Any, axes: Any = None) -> Variable:
    """Return x with its axes reordered, or (None) reversed."""
    return apply(Transpose(axes), x)


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Variable:
    """Return x with two axes exchanged."""
    return apply(Swapaxes(axis1, axis2), x)


@implements(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Variable:
    """Return x with axes moved to other places, the rest in order."""
    return apply(Moveaxis(source, destination), x)


@implements(np.flip)
def flip(x: Any, axis: Axes = None) -> Variable:
    """Return x with the elements in reverse order along `axis` (all axes for None)."""
    return apply(Flip(axis), x)


@implements(np.roll)
def roll(x: Any, shift: Any, axis: Any = None) -> Variable:
    """Return x with the elements shifted along `axis` (all in a row for None)."""
    return apply(Roll(shift, axis), x)


@implements("astype")
def astype(x: Any, dtype: Any) -> Variable:
    """Return x in another floating-point type; its gradient stays in x's own."""
    return apply(AsType(dtype), x)
