"""Functions that take many numbers to few, over one axis, several, or all of them."""

from __future__ import annotations

import builtins
from typing import Any, ClassVar

import numpy as np

from ipygrad.engine.core import Array, Axes, Function, Gradient, Variable, apply, implements
from ipygrad.engine.methods import value_of


class Reduction(Function):
    """Base of the functions that reduce over axes.

    Parameters
    ----------
    axis
        One axis, several, or None for all of them; negative ones count from the end.
    keepdims
        Whether the reduced axes stay, with length 1.
    """

    __slots__ = ("axis", "keepdims")

    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis = tuple(axis) if isinstance(axis, list) else axis
        self.keepdims = keepdims

    def with_axes(self, value: Any) -> Any:
        """Return what has the shape of the output with the reduced axes put back, length 1 each."""
        return np.reshape(value, kept_shape(self.inputs[0].shape, self.axis))


def reduced_axes(axis: Axes, ndim: int) -> list[int]:
    """Return the axes that are reduced, counted from 0, in the order in which they were given."""
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [i % ndim for i in axes] if ndim else []  # of a number numpy takes axis 0, too


def kept_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """Return `shape` with length 1 along the axes that are reduced."""
    if axis is None:
        return (1,) * len(shape)
    reduced = reduced_axes(axis, len(shape))
    return tuple([1 if i in reduced else length for i, length in enumerate(shape)])


class Sum(Reduction):
    """Sum over axes; each element has local derivative 1 and gets a copy of the gradient."""

    __slots__ = ()
    label = "sum"

    def forward(self, x: Array) -> Any:
        """Compute the sum."""
        return x.sum(axis=self.axis, keepdims=self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Copy gy along the axes that were summed."""
        return np.broadcast_to(self.with_axes(gy), self.inputs[0].shape)


class Mean(Reduction):
    """Average over axes; each of n elements has local derivative 1/n."""

    __slots__ = ()
    label = "mean"

    def forward(self, x: Array) -> Any:
        """Compute the average."""
        return x.mean(axis=self.axis, keepdims=self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Copy gy / n along the axes that were averaged."""
        x = self.inputs[0]
        return np.broadcast_to(self.with_axes(gy / _count(x, gy)), x.shape)


def _count(x: Variable, gy: Gradient) -> int:
    """Return how many elements of x go into one of the result."""
    return int(x.size) // builtins.max(int(gy.size), 1)


class Prod(Reduction):
    """Product over axes; local derivative the product of the others, also where zeros are."""

    __slots__ = ()
    label = "prod"

    def forward(self, x: Array) -> Any:
        """Compute the product."""
        return x.prod(axis=self.axis, keepdims=self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy times the product of the others, as y / x where no element is zero."""
        x = self.input_like(gy)
        gy = self.with_axes(gy)
        if np.all(self.inputs[0]._value):
            return gy * (self.with_axes(self.output_like(gy)) / x)
        return gy * _product_of_others(x, self.axis)


def _product_of_others(x: Any, axis: Axes) -> Any:
    """Multiply, for each element, those before it along `axis` by those behind it."""
    last = reduced_axes(axis, x.ndim)
    order = [i for i in range(x.ndim) if i not in last] + last
    moved = np.transpose(x, order)
    rows = np.reshape(moved, (-1, int(np.prod([x.shape[i] for i in last]))))
    behind = np.flip(_products_before(np.flip(rows, 1)), 1)
    others = _products_before(rows) * behind
    return np.transpose(np.reshape(others, moved.shape), np.argsort(order))


def _products_before(rows: Any) -> Any:
    """Multiply, for each element, all those before it in its row, in log n steps.

    After each step an element holds the product of twice as many as before (Hillis and Steele 1986,
    "Data parallel algorithms"), which a running product cannot do for Variables.
    """
    count, n = rows.shape
    products = np.concatenate([np.ones((count, 1), rows.dtype), rows[:, :-1]], axis=1)
    reach = 1
    while reach < n:
        start = np.ones((count, reach), rows.dtype)
        products = products * np.concatenate([start, products[:, :-reach]], axis=1)
        reach *= 2
    return products


class Extremum(Reduction):
    """Base of `Max` and `Min`."""

    __slots__ = ()
    compute: ClassVar[Any]

    def forward(self, x: Array) -> Any:
        """Find the extreme element."""
        return type(self).compute(x, axis=self.axis, keepdims=self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Give gy to the extreme element, in equal shares to several."""
        x = self.inputs[0]._value
        y = type(self).compute(x, axis=self.axis, keepdims=True)
        is_it = np.asarray(x == y) | (np.isnan(x) & np.isnan(y))
        share = is_it / is_it.sum(axis=self.axis, keepdims=True)
        return self.with_axes(gy) * share.astype(x.dtype)


class Max(Extremum):
    """Largest element over axes; it gets the gradient, and several in a tie get equal shares."""

    __slots__ = ()
    label = "max"
    compute = np.max


class Min(Extremum):
    """Smallest element over axes; it gets the gradient, and several in a tie get equal shares."""

    __slots__ = ()
    label = "min"
    compute = np.min


class Var(Reduction):
    """Variance over axes, Σ(x - mean)² / (n - ddof); local derivative 2 (x - mean) / (n - ddof).

    Parameters
    ----------
    axis, keepdims
        As for every reduction.
    ddof
        0 for the variance of these numbers, 1 to estimate that of where they come from.
    """

    __slots__ = ("ddof",)
    label = "var"

    def __init__(self, axis: Axes = None, keepdims: bool = False, ddof: float = 0) -> None:
        super().__init__(axis, keepdims)
        self.ddof = ddof

    def forward(self, x: Array) -> Any:
        """Compute the variance."""
        return x.var(axis=self.axis, keepdims=self.keepdims, ddof=self.ddof)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · 2 (x - mean) / (n - ddof)."""
        return self.with_axes(gy) * self.deviation(gy) * 2

    def deviation(self, gy: Gradient) -> Any:
        """Return (x - mean) / (n - ddof), as what gy is."""
        x = self.input_like(gy)
        mean = np.mean(x, axis=self.axis, keepdims=True)
        return (x - mean) / (_count(self.inputs[0], gy) - self.ddof)


class Std(Var):
    """Standard deviation y over axes; local derivative (x - mean) / ((n - ddof) y), 0 if y is 0."""

    __slots__ = ()
    label = "std"

    def forward(self, x: Array) -> Any:
        """Compute the standard deviation."""
        return x.std(axis=self.axis, keepdims=self.keepdims, ddof=self.ddof)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · (x - mean) / ((n - ddof) y)."""
        return self.with_axes(gy / nonzero(self, gy)) * self.deviation(gy)


def nonzero(function: Function, gy: Gradient) -> Any:
    """Return a function's output as what gy is, with 1 where it is 0, to be divided by."""
    y = function.output_like(gy)
    return y + (value_of(y) == 0)


class LogSumExp(Reduction):
    """y = log Σ exp(x) over axes, without overflow; local derivative exp(x - y)."""

    __slots__ = ()
    label = "logsumexp"

    def forward(self, x: Array) -> Any:
        """Compute the logarithm of the sum of exponentials."""
        return logsumexp_of(x, self.axis, self.keepdims)

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · exp(x - y)."""
        x, y = self.input_like(gy), self.output_like(gy)
        if not isinstance(gy, Variable):
            y = np.where(np.isneginf(y), 0, y)
        return self.with_axes(gy) * np.exp(x - self.with_axes(y))


def logsumexp_of(x: Array, axis: Axes, keepdims: bool) -> Any:
    """Compute log Σ exp(x) over axes, less the largest element first, so that nothing overflows."""
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return y if keepdims else np.squeeze(y, axis=axis)


class Norm(Reduction):
    """Euclidean length y = √Σx² over axes; local derivative x/y, and 0 where y is 0."""

    __slots__ = ()
    label = "norm"

    def forward(self, x: Array) -> Any:
        """Compute the length."""
        return np.sqrt(np.sum(x * x, axis=self.axis, keepdims=self.keepdims))

    def backward(self, gy: Gradient) -> Any:
        """Compute gy · x / y."""
        return self.with_axes(gy / nonzero(self, gy)) * self.input_like(gy)


class Cumsum(Function):
    """Running sum along an axis; an element gets the gradients of all sums that it is in.

    Parameters
    ----------
    axis
        None for the elements in a row, whatever their shape.
    """

    __slots__ = ("axis",)
    label = "cumsum"

    def __init__(self, axis: int | None = None) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Any:
        """Compute the sums."""
        return np.cumsum(x, axis=self.axis)

    def backward(self, gy: Gradient) -> Any:
        """Sum gy from the other end."""
        axis = 0 if self.axis is None else self.axis
        backwards = np.cumsum(np.flip(gy, axis), axis=axis)
        return np.reshape(np.flip(backwards, axis), self.inputs[0].shape)


@implements(np.sum)
def sum(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:  # noqa: A001
    """Sum of the elements of x over `axis` (all axes for None)."""
    return apply(Sum(axis, keepdims), x)


@implements(np.mean)
def mean(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Average of the elements of x over `axis` (all axes for None)."""
    return apply(Mean(axis, keepdims), x)


@implements(np.prod)
def prod(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """Product of the elements of x over `axis` (all axes for None)."""
    return apply(Prod(axis, keepdims), x)


@implements(np.max)
def max(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:  # noqa: A001
    """Largest element of x over `axis` (all axes for None); ties share the gradient equally."""
    return apply(Max(axis, keepdims), x)


@implements(np.min)
def min(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:  # noqa: A001
    """Smallest element of x over `axis` (all axes for None); ties share the gradient equally."""
    return apply(Min(axis, keepdims), x)


@implements(np.var)
def var(x: Any, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
    """Variance of the elements of x over `axis` (all axes for None), Σ(x - mean)² / (n - ddof)."""
    return apply(Var(axis, keepdims, ddof), x)


@implements(np.std)
def std(x: Any, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
    """Return the standard deviation over `axis` (all axes for None); gradient 0 where it is 0."""
    return apply(Std(axis, keepdims, ddof), x)


def logsumexp(x: Any, axis: Axes = None, keepdims: bool = False) -> Variable:
    """log Σ exp(x) over `axis` (all axes for None), computed without overflow."""  # noqa: D403
    return apply(LogSumExp(axis, keepdims), x)


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Variable:  # noqa: A002
    """Euclidean length √Σx² over `axis` (all axes for None); gradient 0 where it is 0.

    Raises
    ------
    TypeError
        For an `ord` that asks for another norm.
    """
    axes = axis if axis is not None else tuple(range(np.ndim(x)))
    is_vector = not isinstance(axes, tuple) or len(axes) == 1
    if not (ord is None or (is_vector and ord == 2) or (not is_vector and ord == "fro")):
        raise TypeError(
            f"norm with ord={ord!r} has no derivative here, only the Euclidean one: leave ord out, "
            "or write it with np.abs, np.sum and np.max"
        )
    return apply(Norm(axis, keepdims), x)


@implements(np.cumsum)
def cumsum(x: Any, axis: int | None = None) -> Variable:
    """Return the running sum of x along `axis` (of all elements in a row for None)."""
    return apply(Cumsum(axis), x)
