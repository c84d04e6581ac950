"""What numpy users try on a Variable: attributes, methods and operators that an array has, too.

Each method hands the work to what is registered for numpy's function of that name, so that nothing
here needs to know the functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine.dispatch import QUESTIONS, dispatch, implementations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.engine.arrays import Array
    from ipygrad.engine.variable import Variable

Axes = int | tuple[int, ...] | None


class ArrayMethods:
    """Base of `Variable`: its manners as an array."""

    __slots__ = ()

    _value: Any

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in QUESTIONS and method == "__call__" and not options:
            return ufunc(*map(value_of, inputs))
        return dispatch(ufunc, inputs, options, method)

    def __array_function__(self, function: Any, _types: Any, inputs: Any, options: Any) -> Any:
        if function in QUESTIONS:
            return function(*map(value_of, inputs), **options)
        return dispatch(function, inputs, options, "__call__")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise TypeError(
            "a Variable does not turn into an array by itself, it would lose its history: use its "
            ".data. Where an array belongs, pass its .data"
        )

    shape = property(lambda self: self._value.shape, doc="Shape of ``data``.")
    ndim = property(lambda self: self._value.ndim, doc="Number of axes of ``data``.")
    size = property(lambda self: self._value.size, doc="Number of elements of ``data``.")
    dtype = property(lambda self: self._value.dtype, doc="Type of the elements of ``data``.")

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a Variable of shape () holds one number and has no len()")
        return len(self._value)

    def __iter__(self) -> Iterator[Variable]:
        if not self.ndim:
            raise TypeError("a Variable of shape () holds one number and cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Variable:
        return _call("getitem", self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "the elements of a Variable cannot be assigned, its history would be wrong: make a new "
            "one with np.where or np.concatenate, or change x.data before it is used"
        )

    def __bool__(self) -> bool:
        return bool(self._value)

    @property
    def T(self) -> Variable:  # noqa: N802 - numpy's name
        """The axes in reverse order."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Variable:
        """Reorder the axes, ``x.transpose(1, 0)`` or ``x.transpose((1, 0))``; reverse for none."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return _call(np.transpose, self, order)

    def reshape(self, *shape: Any) -> Variable:
        """Return the elements in another shape, ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
        return _call(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Variable:
        """Return the elements in a row; see `numpy.ravel`."""
        return _call(np.ravel, self)

    flatten = ravel

    def squeeze(self, axis: Axes = None) -> Variable:
        """Drop axes of length 1; see `numpy.squeeze`."""
        return _call(np.squeeze, self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Variable:
        """Exchange two axes; see `numpy.swapaxes`."""
        return _call(np.swapaxes, self, axis1, axis2)

    def astype(self, dtype: Any) -> Variable:
        """Return the numbers in another floating-point type; gradients come back in this one."""
        return _call("astype", self, dtype)

    def dot(self, other: Any) -> Variable:
        """Return numpy's dot product with another; see `numpy.dot`."""
        return _call(np.dot, self, other)

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Sum over `axis` (all of them for None); see `numpy.sum`."""
        return _call(np.sum, self, axis, keepdims)

    def prod(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Multiply over `axis` (all of them for None); see `numpy.prod`."""
        return _call(np.prod, self, axis, keepdims)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Average over `axis` (all of them for None); see `numpy.mean`."""
        return _call(np.mean, self, axis, keepdims)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Largest element over `axis` (all of them for None); see `numpy.max`."""
        return _call(np.max, self, axis, keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> Variable:
        """Smallest element over `axis` (all of them for None); see `numpy.min`."""
        return _call(np.min, self, axis, keepdims)

    def var(self, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
        """Variance over `axis` (all of them for None); see `numpy.var`."""
        return _call(np.var, self, axis, ddof, keepdims)

    def std(self, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> Variable:
        """Return the standard deviation over `axis` (of all for None); see `numpy.std`."""
        return _call(np.std, self, axis, ddof, keepdims)

    def cumsum(self, axis: int | None = None) -> Variable:
        """Return the running sum along `axis` (in a row for None); see `numpy.cumsum`."""
        return _call(np.cumsum, self, axis)

    def clip(self, min: Any = None, max: Any = None) -> Variable:  # noqa: A002 - numpy's names
        """Limit each element to the range from `min` to `max`; see `numpy.clip`."""
        return _call(np.clip, self, min, max)

    def __lt__(self, other: Any) -> Any:
        return self._value < value_of(other)

    def __le__(self, other: Any) -> Any:
        return self._value <= value_of(other)

    def __gt__(self, other: Any) -> Any:
        return self._value > value_of(other)

    def __ge__(self, other: Any) -> Any:
        return self._value >= value_of(other)

    def __pos__(self) -> ArrayMethods:
        return self

    def __neg__(self) -> Variable:
        return _call(np.negative, self)

    def __abs__(self) -> Variable:
        return _call(np.abs, self)

    def __add__(self, other: Any) -> Variable:
        return implementations[np.add](self, other)

    def __radd__(self, other: Any) -> Variable:
        return implementations[np.add](other, self)

    def __sub__(self, other: Any) -> Variable:
        return implementations[np.subtract](self, other)

    def __rsub__(self, other: Any) -> Variable:
        return implementations[np.subtract](other, self)

    def __mul__(self, other: Any) -> Variable:
        return implementations[np.multiply](self, other)

    def __rmul__(self, other: Any) -> Variable:
        return implementations[np.multiply](other, self)

    def __truediv__(self, other: Any) -> Variable:
        return implementations[np.divide](self, other)

    def __rtruediv__(self, other: Any) -> Variable:
        return implementations[np.divide](other, self)

    def __pow__(self, other: Any) -> Variable:
        return implementations[np.power](self, other)

    def __rpow__(self, other: Any) -> Variable:
        return implementations[np.power](other, self)

    def __matmul__(self, other: Any) -> Variable:
        return implementations[np.matmul](self, other)

    def __rmatmul__(self, other: Any) -> Variable:
        return implementations[np.matmul](other, self)


def value_of(value: Any) -> Any:
    """Return the array or scalar that a Variable holds, and anything else as it is."""
    return value._value if isinstance(value, ArrayMethods) else value


def _call(function: Any, *inputs: Any) -> Variable:
    y: Variable = implementations[function](*inputs)
    return y
